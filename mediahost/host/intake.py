"""Intake: from a job that waits in the store to an attempt that a worker is about to begin."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping

from mediahost.errors import StoreError
from mediahost.host.alone import Alone
from mediahost.host.attempts import Attempts, failure_from, outcome_of
from mediahost.host.crash import crash_point
from mediahost.host.fetching import Fetching
from mediahost.host.in_hand import Held, InHand
from mediahost.host.inputs import FETCHES
from mediahost.host.schedule import Schedule, Share
from mediahost.ports import AttemptSpec, Ended, Executor, Store

CLAIM_POLL_S = 0.1


class Intake:
    """Claims jobs as there is room for them, and hands them to the executor.

    Args:
        host: This host's name.
        store: The store.
        executor: Runs the attempts; it has been started when anything is claimed.
        attempts: Prepares them.
        schedule: Says which jobs are next.
        in_hand: The jobs that this host has claimed.
        fetching: Brings media files here first that are elsewhere.
        alone: Jobs that run while no other does.
        lease_s: How long a claim holds.
        tell: Gets the ends of attempts that can't begin.
    """

    def __init__(
        self,
        *,
        host: str,
        store: Store,
        executor: Executor,
        attempts: Attempts,
        schedule: Schedule,
        in_hand: InHand,
        fetching: Fetching,
        alone: Alone,
        lease_s: float,
        tell: Callable[[Ended], None],
    ) -> None:
        self._host = host
        self._store = store
        self._executor = executor
        self._attempts = attempts
        self._schedule = schedule
        self._in_hand = in_hand
        self._fetching = fetching
        self._alone = alone
        self._lease_s = lease_s
        self._tell = tell
        self._claim_from = 0.0

    def look_at_once(self) -> None:
        """There is something to claim: don't wait for the next poll."""
        self._claim_from = 0.0

    def claim(self, source: str | None, otherwise_s: float = CLAIM_POLL_S) -> None:
        """Claim what there is room for, and have it run.

        Args:
            source: Of this source only; None: of all.
            otherwise_s: When there was less than that, look again after so many seconds.
        """
        if self._alone.reserves_the_host:
            self._run_alone()
            return
        if time.monotonic() < self._claim_from:
            return
        if not self._schedule.has_room(self._capacity()):
            return
        shares = self._schedule.shares(self._store.ready(source), self.room_of)
        claimed = sum(map(self._claim_share, shares))
        if claimed < sum(share.limit for share in shares) or not shares:
            self._claim_from = time.monotonic() + otherwise_s

    def room_of(self, pool: str) -> int:
        """How many more attempts a pool takes now."""
        capacity = self._capacity()
        return capacity.get(pool, capacity.get("cpu", 0))

    def _capacity(self) -> Mapping[str, int]:
        """The executor's, less those that will come when their media files are here.

        A few of these are on their way without a slot, so that no worker waits for the network.
        """
        coming = max(0, len(self._fetching.tokens) - FETCHES)
        capacity = self._executor.capacity()
        return {pool: max(0, room - coming) for pool, room in capacity.items()}

    def _claim_share(self, share: Share) -> int:
        left = share.limit
        for actions, most, ahead in share.choices:
            if left > 0:
                crash_point("before the claim")
                jobs = self._store.claim(
                    self._host, min(left, most), self._lease_s, share.source, actions, ahead=ahead
                )
                if jobs:
                    crash_point("claimed")
                    left -= len(jobs)
                    self._begin(self._in_hand.take(jobs, ahead=ahead))
        return share.limit - left

    def _begin(self, jobs: Collection[Held]) -> None:
        self._schedule.claimed(jobs)
        here: list[Held] = []
        for held in self._note_beginning([held for held in jobs if not self._alone.takes(held)]):
            if self._attempts.is_here(held.job):
                here.append(held)
            else:
                # A server may take its time; leases have to be renewed meanwhile.
                self._fetching.begin(held)
        self.run(here)

    def _note_beginning(self, jobs: Collection[Held]) -> Collection[Held]:
        """Have the store know of those that may take this host down; those that can be run."""
        suspects = [held for held in jobs if held.ahead and held.job.is_suspect]
        if not suspects:
            return jobs
        theirs = self._store.begin(self._host, [held.job.token for held in suspects])
        lost = [held for held in suspects if held.job.token not in theirs]
        for held in lost:
            self._schedule.ended(held)
        self._in_hand.drop(lost)
        for held in suspects:
            held.ahead = False
        return [held for held in jobs if not held.dropped]

    def _run_alone(self) -> None:
        if held := self._alone.next():
            here = self._note_beginning([held])
            for one in here:
                if self._attempts.is_here(one.job):
                    self.run([one])
                else:
                    self._fetching.begin(one)

    def run(self, jobs: Iterable[Held]) -> None:
        """Hand jobs to the executor whose media files are here."""
        look = self._attempts.look()
        specs: list[AttemptSpec] = []
        for held in jobs:
            try:
                specs.append(self._attempts.prepare(held, look))
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - one job's fault ends that job, not the host
                why = failure_from(error)
                self._tell(Ended(held.job.token, outcome_of(error), failure=why))
        self._executor.submit(*specs)
