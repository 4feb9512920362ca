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

# Jobs of an action that take less than this on average are claimed ahead, as much as one worker
# does in `READ_AHEAD_S`, so that no worker waits for a commit: a transaction is written through to
# the disk, whatever is in it. Of others a host claims what it has free slots for.
SHORT_JOB_S = 0.05
READ_AHEAD_S = 1.0
READ_AHEAD_MOST = 1024

# How much the last job counts in the mean.
_WEIGHT_OF_LAST = 1 / 8


class Choice(NamedTuple):
    """Some jobs of a share.

    Attributes:
        actions: Of these actions.
        most: At most so many.
        ahead: No slot is free for them yet.
    """

    actions: tuple[str, ...]
    most: int
    ahead: bool = False


class Share(NamedTuple):
    """What is to be claimed: up to `limit` jobs of a source.

    Attributes:
        source: The source.
        limit: How many.
        choices: What to ask for, in this order.
    """

    source: str
    limit: int
    choices: tuple[Choice, ...]


class Limit(NamedTuple):
    """What an action competes for, and how many of it may run at once here; None: any."""

    pool: str
    max_inflight: int | None


@dataclass
class _Action:
    """One action: how long its jobs take, and how many are in hand.

    Attributes:
        mean_s: None: not known yet.
        in_hand: Of all sources.
    """

    mean_s: float | None = None
    in_hand: int = 0

    @property
    def is_short(self) -> bool:
        """Whether its jobs may be claimed ahead."""
        return self.mean_s is not None and self.mean_s < SHORT_JOB_S

    def learn(self, elapsed_s: float) -> None:
        """One of its jobs took so long."""
        before = elapsed_s if self.mean_s is None else self.mean_s
        self.mean_s = before + (elapsed_s - before) * _WEIGHT_OF_LAST


class _Room(NamedTuple):
    """How many jobs a pool takes now: into slots that no long job has, and ahead."""

    slots: int
    ahead: int


@dataclass
class _Pool:
    """One pool: what is in hand, and how much of it each source has had.

    A source's time runs by the seconds that its jobs took, divided by its weight; who is furthest
    behind is next. A source that comes back from a rest starts where the others are: what it did
    not use is gone. (Start-time fair queueing, P. Goyal et al., SIGCOMM 1996.)

    Attributes:
        slots: How many jobs run at once, as far as was seen.
    """

    mean_s: float = SHORT_JOB_S
    slots: int = 0
    times: dict[str, float] = field(default_factory=dict)
    actions: dict[str, _Action] = field(default_factory=dict)

    def action(self, name: str) -> _Action:
        """What is known of an action."""
        return self.actions.setdefault(name, _Action())

    def see(self, free: int) -> None:
        """So many slots are free."""
        if free > 0:
            self.slots = free + sum(action.in_hand for action in self.actions.values())

    def room(self, free: int) -> _Room:
        """How many more may be in hand, if so many slots are free.

        Short jobs ahead wait for one another only, a second at most: a long one takes its slot
        though some of them are before it. None ahead until half of them are done: a claim has its
        price, however many it brings.
        """
        long = sum(one.in_hand for one in self.actions.values() if not one.is_short)
        slots = max(free, self.slots - long)
        short = [one for one in self.actions.values() if one.is_short]
        waits_s = sum(one.in_hand * (one.mean_s or 0.0) for one in short)
        waiting = sum(one.in_hand for one in short)
        is_stocked = waits_s > READ_AHEAD_S / 2 or waiting > READ_AHEAD_MOST // 2
        if slots <= 0 or is_stocked or not short:
            return _Room(max(slots, 0), 0)
        longest_s = max(one.mean_s or 0.0 for one in short)
        fitting = (READ_AHEAD_S - waits_s) / max(longest_s, READ_AHEAD_S / READ_AHEAD_MOST)
        return _Room(slots, min(int(fitting), READ_AHEAD_MOST - waiting))

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
            share
            for pool, sources in waiting.items()
            for share in self._shares_of(pool, sources, free(pool))
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
        return any(capacity.values()) or any(pool.room(0).ahead for pool in self._pools.values())

    def _shares_of(
        self, name: str, sources: Mapping[str, Sequence[str]], free: int
    ) -> Iterator[Share]:
        pool = self._pools[name]
        pool.see(free)
        slots, ahead = pool.room(free)
        short = {
            source: some
            for source, actions in sources.items()
            if (some := [one for one in actions if pool.action(one).is_short])
        }
        # What is free is divided first: a source whose jobs are long has as much of it as others.
        now = pool.divide(sources, slots, self._weight_of) if slots else Counter[str]()
        then = pool.divide(short, ahead, self._weight_of) if short and ahead else Counter[str]()
        for source in sources:
            all_short = len(short.get(source, ())) == len(sources[source])
            number = max(now[source], then[source]) if all_short else now[source]
            choices = [*self._choices(number, sources[source], ahead=number > free)]
            if not all_short:
                number += then[source]
                choices += self._choices(then[source], short.get(source, ()), ahead=True)
            if choices:
                yield Share(source, number, tuple(choices))

    def _choices(self, number: int, actions: Iterable[str], *, ahead: bool) -> Iterator[Choice]:
        """Those with a limit of their own come first, each by itself; priority orders the rest."""
        if number <= 0:
            return
        free = []
        for action in actions:
            if self._limit_of(action).max_inflight is None:
                free.append(action)
            else:
                yield Choice((action,), min(number, self._left_of(action)), ahead)
        if free:
            yield Choice(tuple(free), number, ahead)

    def _left_of(self, action: str) -> int:
        most = self._limit_of(action).max_inflight
        return 1 if most is None else most - self._pool_of(action).action(action).in_hand

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
            pool.action(action).in_hand += number
            self._charge(pool, source, self._expected_s(action) * number)
        for held in jobs:
            held.charged_s = self._expected_s(held.job.request.action)

    def ended(self, held: Held, elapsed_s: float | None = None) -> None:
        """This one is out of hand. It took so long; None: nobody knows, or it was given back."""
        request = held.job.request
        pool = self._pool_of(request.action)
        action = pool.action(request.action)
        action.in_hand -= 1
        if elapsed_s is None:
            self._charge(pool, request.source, -held.charged_s)
            return
        self._charge(pool, request.source, elapsed_s - held.charged_s)
        pool.mean_s += (elapsed_s - pool.mean_s) * _WEIGHT_OF_LAST
        action.learn(elapsed_s)

    def takes_long(self, action: str, elapsed_s: float) -> None:
        """A job of this action runs since so long: the next ones may take as long."""
        known = self._pool_of(action).action(action)
        known.mean_s = max(known.mean_s or 0.0, elapsed_s)

    def _expected_s(self, action: str) -> float:
        pool = self._pool_of(action)
        mean_s = pool.action(action).mean_s
        return pool.mean_s if mean_s is None else mean_s

    def _pool_of(self, action: str) -> _Pool:
        limit = self._find_limit(action)
        return self._pools[limit.pool if limit else "cpu"]

    def _charge(self, pool: _Pool, source: str, seconds: float) -> None:
        if source in pool.times:
            pool.times[source] += seconds / self._weight_of(source)
