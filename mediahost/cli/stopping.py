"""How `mediahost work` stops: gently when asked once, at once when asked twice."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from mediahost.cli import SIGNAL_BASE

ASKING = (signal.SIGINT, signal.SIGTERM)


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
