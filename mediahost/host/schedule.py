"""The schedule: which jobs are claimed next, so that slots are full and sources get their share."""

import heapq
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

from mediahost.host.in_hand import Held
from mediahost.ports import Ready

log = logging.getLogger(__name__)

# While the jobs of a pool take less than this, so many seconds' worth of one worker are claimed
# ahead, so that no worker waits for a commit: a transaction is written through to the disk,
# whatever is in it.
SHORT_JOB_S = 0.05
READ_AHEAD_S = 1.0
READ_AHEAD_MOST = 1024

# How much the last job counts in the mean.
_WEIGHT_OF_LAST = 1 / 8


class Share(NamedTuple):
    """What is to be claimed: up to `limit` jobs of a source.

    Attributes:
        source: The source.
        limit: How many.
        choices: Groups of actions, in the order to ask for them, and how many of each group.
    """

    source: str
    limit: int
    choices: tuple[tuple[tuple[str, ...], int], ...]


class Limit(NamedTuple):
    """What an action competes for, and how many of it may run at once here; None: any."""

    pool: str
    max_inflight: int | None


@dataclass
class _Pool:
    """One pool: what is in hand, and how much of it each source has had.

    A source's time runs by the seconds that its jobs took, divided by its weight; who is furthest
    behind is next. A source that comes back from a rest starts where the others are: what it did
    not use is gone. (Start-time fair queueing, P. Goyal et al., SIGCOMM 1996.)
    """

    mean_s: float = SHORT_JOB_S
    in_hand: int = 0
    times: dict[str, float] = field(default_factory=dict)

    def room_ahead(self) -> int:
        """How many more may be in hand though no slot is free for them yet.

        None until half of them are done: a claim has its price, however many it brings.
        """
        if self.mean_s >= SHORT_JOB_S:
            return 0
        ahead = int(READ_AHEAD_S / max(self.mean_s, READ_AHEAD_S / READ_AHEAD_MOST))
        return ahead - self.in_hand if self.in_hand <= ahead // 2 else 0

    def divide(
        self, sources: Iterable[str], room: int, weight_of: Callable[[str], float]
    ) -> Counter[str]:
        """How many jobs of each of these sources go next."""
        sources = list(sources)
        now = min((self.times[each] for each in sources if each in self.times), default=0.0)
        self.times = {each: max(now, self.times.get(each, now)) for each in sources}
        if len(sources) == 1:
            return Counter({sources[0]: room})
        shares: Counter[str] = Counter()
        queue = [(time, each) for each, time in self.times.items()]
        heapq.heapify(queue)
        for _ in range(room):
            time, first = queue[0]
            shares[first] += 1
            heapq.heapreplace(queue, (time + self.mean_s / weight_of(first), first))
        return shares


class Schedule:
    """Divides free slots among what is ready, and keeps count of what is in hand.

    Attributes:
        foreign: Actions that jobs were seen to wait for and that this host doesn't have.

    Args:
        limit_of: What an action competes for; None: this host doesn't have it.
        weights: How much more than one share a source gets, by patterns of its name.
    """

    def __init__(
        self, limit_of: Callable[[str], Limit | None], weights: Mapping[str, float]
    ) -> None:
        self._find_limit = cache(limit_of)
        self._weights = weights
        self._pools: defaultdict[str, _Pool] = defaultdict(_Pool)
        self._in_hand: Counter[str] = Counter()
        self.foreign: set[str] = set()

    def shares(self, ready: Sequence[Ready], free: Callable[[str], int]) -> list[Share]:
        """What to claim now.

        Args:
            ready: What can be claimed.
            free: How many more attempts a pool takes now.
        """
        waiting: defaultdict[str, defaultdict[str, list[str]]]
        waiting = defaultdict(lambda: defaultdict(list))
        for source, action in ready:
            if self._find_limit(action) is None:
                self._leave(action)
            elif self._left_of(action) > 0:
                waiting[self._limit_of(action).pool][source].append(action)
        return [
            Share(source, number, tuple(self._choices(number, sources[source])))
            for pool, sources in waiting.items()
            for source, number in self._divided(pool, sources, free(pool)).items()
        ]

    def _leave(self, action: str) -> None:
        if action not in self.foreign:
            self.foreign.add(action)
            log.warning(
                "Jobs wait for %s, which no plugin here has: another host may run them", action
            )

    def _limit_of(self, action: str) -> Limit:
        return self._find_limit(action) or Limit("cpu", None)

    def has_room(self, capacity: Mapping[str, int]) -> bool:
        """Whether it is worth while to look for more."""
        return any(capacity.values()) or any(pool.room_ahead() for pool in self._pools.values())

    def _divided(self, name: str, sources: Iterable[str], free: int) -> Counter[str]:
        pool = self._pools[name]
        room = max(pool.room_ahead(), free)
        return pool.divide(sources, room, self._weight_of) if room > 0 else Counter()

    def _choices(
        self, number: int, actions: Iterable[str]
    ) -> Iterator[tuple[tuple[str, ...], int]]:
        """Those with a limit of their own come first, each by itself; priority orders the rest."""
        free = []
        for action in actions:
            if self._limit_of(action).max_inflight is None:
                free.append(action)
            else:
                yield (action,), min(number, self._left_of(action))
        if free:
            yield tuple(free), number

    def _left_of(self, action: str) -> int:
        most = self._limit_of(action).max_inflight
        return 1 if most is None else most - self._in_hand[action]

    def _weight_of(self, source: str) -> float:
        for pattern, weight in self._weights.items():
            if fnmatchcase(source, pattern):
                return weight
        return 1.0

    def claimed(self, jobs: Collection[Held]) -> None:
        """These are in hand now; their sources are charged with what such jobs take."""
        alike = Counter((held.job.request.action, held.job.request.source) for held in jobs)
        for (action, source), number in alike.items():
            pool = self._pool_of(action)
            pool.in_hand += number
            self._in_hand[action] += number
            self._charge(pool, source, pool.mean_s * number)
        for held in jobs:
            held.charged_s = self._pool_of(held.job.request.action).mean_s

    def ended(self, held: Held, elapsed_s: float | None = None) -> None:
        """This one is out of hand. It took so long; None: nobody knows, or it was given back."""
        request = held.job.request
        pool = self._pool_of(request.action)
        pool.in_hand -= 1
        self._in_hand[request.action] -= 1
        if elapsed_s is not None:
            self._charge(pool, request.source, elapsed_s - held.charged_s)
            pool.mean_s += (elapsed_s - pool.mean_s) * _WEIGHT_OF_LAST

    def _pool_of(self, action: str) -> _Pool:
        limit = self._find_limit(action)
        return self._pools[limit.pool if limit else "cpu"]

    def _charge(self, pool: _Pool, source: str, seconds: float) -> None:
        if source in pool.times:
            pool.times[source] += seconds / self._weight_of(source)
