"""Something that is done at once, and then no more often than it pays."""

import time
from collections.abc import Callable

from textual.message_pump import MessagePump


class Seldom:
    """Does something when it is asked for: at once, or when its time has come.

    What is asked for again meanwhile is done once. So what changes all the time is painted with
    what else changes, and nothing is painted for it alone while there is more to come.

    Args:
        pump: Whose timer it takes.
        act: What is done.
        pause_s: Seconds from one time to the next.
    """

    def __init__(self, pump: MessagePump, act: Callable[[], object], pause_s: float) -> None:
        self._pump = pump
        self._act = act
        self._pause_s = pause_s
        self._done_at = 0.0
        self._is_due = False

    def ask(self) -> None:
        """Do it as soon as its time has come."""
        left = self._done_at + self._pause_s - time.monotonic()
        if left <= 0:
            self.at_once()
        elif not self._is_due:
            self._is_due = True
            self._pump.set_timer(left, self._do_late)

    def _do_late(self) -> None:
        if self._is_due:
            self.at_once()

    def at_once(self) -> None:
        """Do it now; what was asked for is done with it."""
        self._is_due = False
        self._done_at = time.monotonic()
        self._act()
