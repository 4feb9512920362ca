"""How programs stop that run jobs.

`mediahost work` stops gently when asked once, at once when asked twice; `mediahost run` gives back
what runs, and ends at once when asked twice.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from mediahost.cli import SIGNAL_BASE

ASKING = (signal.SIGINT, signal.SIGTERM)
ENDING = (*ASKING, signal.SIGHUP)


@dataclass
class Stop:
    """Whether somebody has asked for the end."""

    asked: bool = False


@contextmanager
def stopping_gently(drain: Callable[[], None]) -> Iterator[Stop]:
    """Call `drain` at the first SIGINT or SIGTERM; a second one ends it all with an exception."""
    stop = Stop()

    def heard(number: int, _frame: FrameType | None) -> None:
        if stop.asked:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            sys.exit(SIGNAL_BASE + number)
        stop.asked = True
        drain()
        sys.stderr.write("mediahost: finishing what runs; ask again to stop at once\n")

    before = {number: signal.signal(number, heard) for number in ASKING}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interruptible(interrupt: Callable[[], bool], say: Callable[[], None]) -> Iterator[None]:
    """End what is inside at the first signal, whatever it is at.

    Python raises what a handler raises wherever it is: also in a callback, such as a finalizer,
    which prints and forgets it. So the signal is remembered, and told at the end in any case.

    Args:
        interrupt: Called at each signal; whether what is inside ends by itself then.
        say: Called at the end after a SIGINT.

    Raises:
        KeyboardInterrupt: There was a SIGINT.
        SystemExit: There was another signal.
    """
    heard: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        heard.append(number)
        ends_by_itself = interrupt()
        if len(heard) > 1 or not ends_by_itself:
            raise _exception_of(number)

    def report(unraisable: "sys.UnraisableHookArgs") -> None:
        if not (heard and isinstance(unraisable.exc_value, KeyboardInterrupt | SystemExit)):
            hook(unraisable)

    hook, sys.unraisablehook = sys.unraisablehook, report
    before = {number: signal.signal(number, handle) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = hook
        if heard:
            if heard[0] == signal.SIGINT:
                say()
            raise _exception_of(heard[0]) from None


def _exception_of(number: int) -> BaseException:
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(SIGNAL_BASE + number)
