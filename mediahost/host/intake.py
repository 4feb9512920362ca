"""Intake: from a job that waits in the store to an attempt that a worker is about to begin."""

import time
from collections.abc import Callable, Collection, Iterable

from mediahost.errors import StoreError
from mediahost.host.attempts import Attempts, failure_from, outcome_of
from mediahost.host.crash import crash_point
from mediahost.host.fetching import Fetching
from mediahost.host.in_hand import Held, InHand
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
        if time.monotonic() < self._claim_from:
            return
        if not self._schedule.has_room(self._executor.capacity()):
            return
        shares = self._schedule.shares(self._store.ready(source), self.room_of)
        claimed = sum(map(self._claim_share, shares))
        if claimed < sum(share.limit for share in shares) or not shares:
            self._claim_from = time.monotonic() + otherwise_s

    def room_of(self, pool: str) -> int:
        """How many more attempts a pool takes now."""
        capacity = self._executor.capacity()
        return capacity.get(pool, capacity.get("cpu", 0))

    def _claim_share(self, share: Share) -> int:
        left = share.limit
        for actions, most in share.choices:
            if left > 0:
                crash_point("before the claim")
                jobs = self._store.claim(
                    self._host, min(left, most), self._lease_s, share.source, actions
                )
                if jobs:
                    crash_point("claimed")
                    left -= len(jobs)
                    self._begin(self._in_hand.take(jobs))
        return share.limit - left

    def _begin(self, jobs: Collection[Held]) -> None:
        self._schedule.claimed(jobs)
        here: list[Held] = []
        for held in jobs:
            if self._attempts.is_here(held.job):
                here.append(held)
            else:
                # A server may take its time; leases have to be renewed meanwhile.
                self._fetching.begin(held)
        self.run(here)

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
