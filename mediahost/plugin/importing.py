"""Importing: a plugin's code runs for the first time, and may do what no import should."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import NoReturn

from mediahost.errors import PluginError
from mediahost.threads import GuardedThread

# A large framework takes tens of seconds on a cold disk. A person is told who they wait for.
TELL_S = 10.0
LIMIT_S = 120.0


@contextmanager
def watched_import(name: str) -> Iterator[None]:
    """Import a plugin within this: what it prints goes to standard error, and it can't end us.

    One that never ends is given up after `LIMIT_S`, on the main thread and unless C code holds it.

    Raises:
        PluginError: It called `os._exit`, or took too long.
    """
    began = time.monotonic()
    imported = threading.Event()

    def tell() -> None:
        if not imported.wait(TELL_S):
            _tell(name, TELL_S)

    GuardedThread(tell, name="import").start()
    try:
        with redirect_stdout(sys.stderr), _no_exit(), _limited():
            yield
    finally:
        imported.set()
        took_s = time.monotonic() - began
        if took_s > TELL_S:
            _tell(name, took_s)


def _tell(name: str, took_s: float) -> None:
    sys.stderr.write(
        f"mediahost: The plugin {name} takes {took_s:.0f} s to import\n"
        f"  Do without it: mediahost --without {name} ... or mediahost plugins disable {name}\n"
    )
    sys.stderr.flush()


@contextmanager
def _no_exit() -> Iterator[None]:
    """`os._exit` ends no process but a child that the import has forked."""
    own, exits = os.getpid(), os._exit

    def refused(status: int) -> NoReturn:
        if os.getpid() != own:
            exits(status)
        raise PluginError(f"it called os._exit({status}) while it was imported")

    os._exit = refused
    try:
        yield
    finally:
        os._exit = exits


@contextmanager
def _limited() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(_number: int, _frame: object) -> NoReturn:
        raise PluginError(f"its import took more than {LIMIT_S:g} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
