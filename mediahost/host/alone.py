"""Alone: jobs that were lost twice run while nothing else does, so that no neighbour is blamed."""

import time
from collections import deque

from mediahost.host.in_hand import Held, InHand
from mediahost.model.job import LOSSES_TO_RUN_ALONE, Token

# So long a host keeps its other slots free for such a job. Then the job gives way for a while.
PATIENCE_S = 30.0
GIVE_WAY_S = 60.0


class Alone:
    """The jobs in hand that run alone.

    Args:
        in_hand: The jobs that this host has claimed.
    """

    def __init__(self, in_hand: InHand) -> None:
        self._in_hand = in_hand
        self._waiting: deque[Held] = deque()
        self._runs: Held | None = None
        self._since = 0.0

    @property
    def tokens(self) -> set[Token]:
        """Those that wait: nothing but this host holds them."""
        return {held.job.token for held in self._waiting}

    @property
    def reserves_the_host(self) -> bool:
        """Whether nothing else may be claimed now."""
        return bool(self._waiting) or (self._runs is not None and not self._runs.dropped)

    def takes(self, held: Held) -> bool:
        """Whether the job is one of those; it waits here then."""
        if held.job.losses < LOSSES_TO_RUN_ALONE:
            return False
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append(held)
        return True

    def next(self) -> Held | None:
        """One that can run now."""
        if not self._waiting or len(self._in_hand) > len(self._waiting):
            return None
        self._runs = self._waiting.popleft()
        return self._runs

    def give_way(self) -> list[Held]:
        """Those that have waited too long for others to end."""
        late = time.monotonic() > self._since + PATIENCE_S
        return self.clear() if self._waiting and late else []

    def clear(self) -> list[Held]:
        """Wait no more; those that did."""
        left = list(self._waiting)
        self._waiting.clear()
        return left
