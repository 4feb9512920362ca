"""Leftovers: programs that an attempt started and left running."""

import logging
import os
import signal
from contextlib import suppress

from mediahost.executor.reaper import children

_logger = logging.getLogger("mediahost.executor")

# Each round ends a generation of descendants; only a fork bomb needs this many.
_ROUNDS = 100


class Leftovers:
    """Ends what an attempt left behind, before anybody trusts the files that it made.

    It sees every descendant, those that became daemons included, if the process is their
    subreaper; without /proc it sees nothing, and they live until the worker's group is ended.
    """

    def __init__(self) -> None:
        self._kept: set[int] = set()
        self._loads = 0

    def keep(self) -> None:
        """What runs now may stay, such as a program that a resource talks to."""
        self._kept = _children()

    def tidy(self, loads: int) -> None:
        """Nothing runs now: end what was left behind, unless somebody may have use for it.

        Args:
            loads: How many resources were loaded so far.
        """
        if loads != self._loads:
            # What was loaded may be talking to a program of its own.
            self._loads = loads
            self.keep()
        elif running := self.end():
            _logger.warning("%d programs were left running; they have been ended", running)

    def end(self) -> int:
        """End everything that may not stay.

        Returns:
            How many of them still ran.
        """
        running = 0
        for _ in range(_ROUNDS):
            strangers = _children() - self._kept
            if not strangers:
                break
            for pid in strangers:
                running += _end(pid)
        return running


def _children() -> set[int]:
    try:
        # 2 µs, where reading /proc takes 30: nearly every attempt leaves nothing.
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return set()
    return children(os.getpid())


def _end(pid: int) -> bool:
    """End one child and wait for it; whether it still ran."""
    with suppress(OSError):
        ended, _ = os.waitpid(pid, os.WNOHANG)
        if ended:
            return False
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return True
