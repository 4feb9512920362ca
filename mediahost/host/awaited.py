"""Awaited: what must be over before a dispatcher's work is, be it run here or elsewhere."""

from collections.abc import Callable, Iterable
from uuid import UUID

from mediahost.host.every import Every
from mediahost.host.roster import Roster
from mediahost.host.schedule import Schedule
from mediahost.model.job import JobStatus
from mediahost.ports import Store

WAIT_POLL_S = 0.25


class Awaited:
    """Jobs of a source, or of all, and those that others run for it.

    Args:
        store: The store.
        schedule: Knows the actions that only other hosts have.
        roster: Knows which hosts are gone.
        source: Of which source; None: of all.
        jobs: Jobs that must be final too, whoever runs them.
        room: How many jobs could be claimed now.
    """

    def __init__(
        self,
        store: Store,
        schedule: Schedule,
        roster: Roster,
        *,
        source: str | None,
        jobs: Iterable[UUID],
        room: Callable[[], int],
    ) -> None:
        self._store = store
        self._schedule = schedule
        self._roster = roster
        self._source = source
        self._jobs = set(jobs)
        self._room = room
        self._polls = Every(WAIT_POLL_S)
        self.adopted = False

    def is_over(self) -> bool:
        """Whether nothing is left to wait for; `adopted` says that there is more to claim now."""
        self.adopted = False
        if not self._polls.is_due():
            return False
        if self._jobs:
            self._look()
        return not self._jobs and not self._has_work()

    def _look(self) -> None:
        """See which of the others' jobs are final.

        What nobody will claim becomes ours, and of what others would claim later as much as
        there is room for: two runs over one folder share its jobs.
        """
        source = self._source
        left = [job for job in self._store.get_jobs(self._jobs).values() if not job.status.final]
        pending = [job for job in left if job.status is JobStatus.PENDING and job.source != source]
        gone = {each for each in {job.source for job in pending} if self._roster.is_abandoned(each)}
        abandoned = [job.job_id for job in pending if job.source in gone]
        theirs = [job.job_id for job in pending if job.source not in gone]
        if source is not None and (abandoned or theirs):
            self._store.adopt(abandoned + theirs[: max(1, self._room())], source)
            self.adopted = True
        self._jobs = {job.job_id for job in left}

    def _has_work(self) -> bool:
        """Whether anything is to come; what is paused isn't, unless somebody waits for it."""
        if self._source is None:
            return self._store.count_waiting(without=self._schedule.foreign, most=1) > 0
        return self._store.has_active(self._source)
