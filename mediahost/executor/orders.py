"""Orders: what other threads want done on one that sleeps on its selector."""

import selectors
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress


class Orders:
    """Done one after the other, on the thread that waits for them. Only `post` is for others.

    Args:
        selector: What that thread sleeps on. The data of all that is registered there is called
            when it is ready.
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._posted: deque[Callable[[], None]] = deque()
        self._asleep = False
        self._alarm, self._bell = socket.socketpair()
        self._alarm.settimeout(0)
        self._bell.settimeout(0)
        selector.register(self._alarm, selectors.EVENT_READ, self._woken)

    def __bool__(self) -> bool:
        return bool(self._posted)

    def post(self, order: Callable[[], None]) -> None:
        """Have something done."""
        self._posted.append(order)
        if self._asleep:
            # One ring is enough: all orders are looked at by who wakes.
            self._asleep = False
            with suppress(OSError):  # full: it will wake anyhow; closed: it is over
                self._bell.send(b"!")

    def wait(self, timeout_s: float | None) -> None:
        """Sleep until there is an order or something is ready, and do all of it.

        Args:
            timeout_s: How long to sleep at most; None: however long that is.
        """
        self._asleep = True
        ready = self._selector.select(0.0 if self._posted else timeout_s)
        self._asleep = False
        for key, _ in ready:
            key.data()
        while self._posted:
            self._posted.popleft()()

    def close(self) -> None:
        """Hear of no more."""
        self._alarm.close()
        self._bell.close()

    def _woken(self) -> None:
        with suppress(BlockingIOError):
            self._alarm.recv(4096)
