"""The inbox: what a dispatcher is told by other threads, taken out in batches."""

import queue
import time
from typing import Generic, TypeVar

T = TypeVar("T")

# A transaction is written through to the disk, whatever is in it: the more, the better, short of
# having the workers wait. (Each attempt has two events at least.)
MOST_AT_ONCE = 2048


class Inbox(Generic[T]):
    """A queue that is emptied as a whole. Only `put` is for any thread."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[T] = queue.SimpleQueue()
        self.put = self._queue.put

    def wait(self, timeout_s: float) -> list[T]:
        """All that has come, after a wait for the first of it; nothing if that takes too long."""
        try:
            found = [self._queue.get(timeout=timeout_s)]
        except queue.Empty:
            return []
        self._empty_into(found)
        return found

    def gather(self, found: list[T], enough: int, for_s: float) -> None:
        """Wait for more, until there is enough or it has taken so long."""
        ends_at = time.monotonic() + for_s
        while len(found) < enough and (left := ends_at - time.monotonic()) > 0:
            # Not by waiting for the next one: to be woken for each is what this is to save.
            time.sleep(min(left, for_s / 2))
            self._empty_into(found)

    def left(self) -> list[T]:
        """All that is still there."""
        found: list[T] = []
        while not self._queue.empty():
            found.append(self._queue.get_nowait())
        return found

    def _empty_into(self, found: list[T]) -> None:
        take = self._queue.get_nowait
        try:
            while len(found) < MOST_AT_ONCE:
                found.append(take())
        except queue.Empty:
            return
