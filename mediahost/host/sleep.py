"""Sleep: that this host stood still, as when a laptop's lid is closed, or that the clock jumped."""

import time
from collections.abc import Callable


class Sleep:
    """Notices that more time has passed than a host takes for its turns.

    A clock that is set forward is the same to leases as a sleep.

    Args:
        longest_s: So long a turn may take.
        monotonic: Seconds by the clock that goes on evenly; on Linux it stops in a suspend.
        wall: Unix seconds, as leases have them.
    """

    def __init__(
        self,
        longest_s: float,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._longest_s = longest_s
        self._clocks = monotonic, wall
        self._last = tuple(clock() for clock in self._clocks)

    def is_over(self) -> bool:
        """Whether the host slept since the last call."""
        before, self._last = self._last, tuple(clock() for clock in self._clocks)
        passed = (now - then for now, then in zip(self._last, before, strict=True))
        return max(passed) > self._longest_s
