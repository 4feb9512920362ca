"""A session: the store that the TUI looks into, and the thread that reads it.

Nothing here blocks the screen: each method is awaited, and its work is done on a thread.
"""

import asyncio
import threading
import time
from array import array
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar
from uuid import UUID

from mediahost.hashing import CacheKey
from mediahost.host.host import Host, Submission
from mediahost.host.known import known_of
from mediahost.host.roster import Roster
from mediahost.host.run import Summary
from mediahost.model.changes import Changes, Mark
from mediahost.model.hosts import HostView
from mediahost.model.job import AttemptView, JobStatus, JobView
from mediahost.model.job_filter import JobFilter
from mediahost.model.pause import Pause
from mediahost.model.pipeline import Pipeline
from mediahost.model.watch import Watch
from mediahost.plugin.registry import Registry
from mediahost.ports import StoredResult, Wakeup, WatchRow
from mediahost.settings import Settings
from mediahost.store.browse import ActionCount, JobLine, Look, Order
from mediahost.store.figures import Figures
from mediahost.store.store import SqlStore
from mediahost.tui.watches import WatchStanding, watches_of
from mediahost.watch.enrolment import enrol
from mediahost.watch.preview import Preview, previews
from mediahost.wiring import make_host

T = TypeVar("T")
Steer = Callable[[JobFilter, Collection[int] | None], Awaitable[int]]

# Jobs are steered so many at a time, so that a host's transactions come in between.
BATCH = 2000
UNFINISHED = (JobStatus.PENDING, JobStatus.PROCESSING)
TRY_AGAIN = (JobStatus.FAILED, JobStatus.CANCELLED)


class Census(NamedTuple):
    """How many jobs each action has, and the seconds of CPU that counting them took."""

    actions: list[ActionCount]
    cpu_s: float


class Session:
    """What the screens ask the store, each answer awaited."""

    def __init__(
        self,
        settings: Settings,
        store: SqlStore,
        registry: Registry,
        *,
        pictures: bool = True,
    ) -> None:
        self.settings = settings
        self.registry = registry
        self.pictures = pictures
        self.store = store
        self.roster = Roster(store, settings.data_dir, settings.lease_s)
        self._browser = store.browse()
        # A long list is read beside the lines in sight, never before them.
        self._lines = ThreadPoolExecutor(1, "lines")
        self._lists = ThreadPoolExecutor(1, "lists")
        self._waits = ThreadPoolExecutor(1, "waits")
        self._wakeup: Wakeup | None = None

    @property
    def is_read_only(self) -> bool:
        """Whether the store is a newer mediahost's, which this one only looks at."""
        return self.store.database.closed_to_writing is not None

    @property
    def why_read_only(self) -> str:
        """Why the store is only looked at, and what to do about it; empty: it is not."""
        closed = self.store.database.closed_to_writing
        return "" if closed is None else closed.hint or closed.message

    def close(self) -> None:
        """End the threads, then let go of the store."""
        if self._wakeup is not None:
            self._wakeup.close()
        for threads in (self._waits, self._lists, self._lines):
            threads.shutdown(wait=True, cancel_futures=True)
        self._browser.close()
        self.store.close()

    # --- what has changed ----------------------------------------------------------------------

    async def changes(self, mark: Mark | None) -> Changes:
        """What happened to jobs since a mark; None: where things stand."""
        # Whoever writes after the first look must be heard, so the listening begins before it.
        if self._wakeup is None:
            await self._wait(self._listening)
        return await self._read(lambda: self.store.changes(mark))

    async def woken(self, timeout_s: float) -> bool:
        """Whether anybody has written to the store, as soon as that is, else at most so long."""
        return await self._wait(lambda: self._listening().wait(timeout_s))

    def _listening(self) -> Wakeup:
        if self._wakeup is None:
            self._wakeup = self.store.wakeup()
        return self._wakeup

    async def _wait(self, wait: Callable[[], T]) -> T:
        def explained() -> T:
            with self.store.database.explained():
                return wait()

        return await asyncio.get_running_loop().run_in_executor(self._waits, explained)

    # --- reading -------------------------------------------------------------------------------

    async def first(self, wanted: JobFilter, order: Order, limit: int) -> list[JobLine]:
        """The first lines of a list."""
        return await self._read(lambda: self._browser.first(wanted, order, limit))

    async def look(self, numbers: Collection[int], wanted: JobFilter, seen: int, most: int) -> Look:
        """These jobs as they are now, and newer ones that match."""
        return await self._read(lambda: self._browser.look(numbers, wanted, seen, most))

    async def newest(self) -> int:
        """The highest number of all jobs."""
        return await self._read(self._browser.newest)

    async def census(self) -> Census:
        """How many jobs each action has."""

        def count() -> Census:
            started = time.thread_time()
            actions = self._browser.actions()
            return Census(actions, time.thread_time() - started)

        return await self._list(count)

    async def numbers(
        self, wanted: JobFilter, order: Order, cancelled: threading.Event
    ) -> list["array[int]"] | None:
        """The numbers of all matching jobs, in stretches, the last first.

        None if it was cancelled meanwhile.
        """

        def read() -> list["array[int]"] | None:
            stretches = []
            for stretch in self._browser.numbers(wanted, order):
                stretches.append(stretch)
                if cancelled.is_set():
                    return None
            return stretches if order is Order.NEWEST else stretches[::-1]

        return await self._list(read)

    async def job(self, number: int) -> JobView | None:
        """One job, whole."""
        return await self._read(lambda: self.store.job_numbered(number))

    async def attempts(self, job_id: UUID) -> list[AttemptView]:
        """The attempts at a job that gave no result, the first one first."""
        return await self._read(lambda: self.store.attempts_of(job_id))

    async def result(self, job: JobView) -> StoredResult | None:
        """What a job, or whoever computed the same before, gave."""
        if job.key is None:
            return None
        key = CacheKey(*job.key)
        return await self._read(lambda: self.store.load_results([key]).get(key))

    async def results_of(self, file_hash: str) -> list[StoredResult]:
        """All that is known of a file's content; what was made of it comes last."""
        known = await self._read(lambda: list(known_of(self.store, file_hash)))
        return [one.stored for one in known]

    # --- steering ------------------------------------------------------------------------------

    async def cancel(self, wanted: JobFilter, numbers: Collection[int] | None) -> int:
        """Ask to cancel these jobs, or all that match; returns how many it concerns."""
        return await self._steer(wanted, numbers, UNFINISHED, self._cancel_batch)

    async def retry(self, wanted: JobFilter, numbers: Collection[int] | None) -> int:
        """Try these failed and cancelled jobs again, or all that match; returns how many."""
        return await self._steer(wanted, numbers, TRY_AGAIN, self._retry_batch)

    async def delete(self, wanted: JobFilter, numbers: Collection[int] | None) -> int:
        """Delete those of these jobs, or of all that match, that don't run; returns how many."""
        idle = [status for status in JobStatus if status is not JobStatus.PROCESSING]
        return await self._steer(wanted, numbers, idle, self.store.delete_jobs)

    async def move_up(self, wanted: JobFilter, numbers: Collection[int] | None) -> int:
        """Raise the priority of these pending jobs, or of all that match; returns how many."""
        return await self._steer(wanted, numbers, [JobStatus.PENDING], self._shifting(1))

    async def move_down(self, wanted: JobFilter, numbers: Collection[int] | None) -> int:
        """Lower the priority of these pending jobs, or of all that match; returns how many."""
        return await self._steer(wanted, numbers, [JobStatus.PENDING], self._shifting(-1))

    def _shifting(self, by: int) -> Callable[[Collection[UUID]], int]:
        return lambda ids: len(self.store.change_priority(ids, by, relative=True))

    def _cancel_batch(self, ids: Collection[UUID]) -> int:
        return len(self.store.request_cancel(ids))

    def _retry_batch(self, ids: Collection[UUID]) -> int:
        return len(self.store.retry(ids))

    async def _steer(
        self,
        wanted: JobFilter,
        numbers: Collection[int] | None,
        statuses: Collection[JobStatus],
        steer: Callable[[Collection[UUID]], int],
    ) -> int:
        def work() -> int:
            ids = self._browser.ids(wanted, numbers, statuses)
            return sum(steer(ids[at : at + BATCH]) for at in range(0, len(ids), BATCH))

        return await self._list(work)

    # --- submitting and watching ---------------------------------------------------------------

    async def preview(self, paths: Sequence[Path], pipeline: Pipeline, *, named: bool) -> Summary:
        """What running this on these files would do; nothing is done."""

        def look() -> Summary:
            with self._make_host() as host:
                return host.run(paths, host.recipe(pipeline, named=named), dry_run=True)

        return await self._list(look)

    async def submit(self, paths: Sequence[Path], pipeline: Pipeline, *, named: bool) -> Submission:
        """Submit what is missing; whatever host works does it."""

        def ask() -> Submission:
            with self._make_host() as host:
                return host.submit(paths, host.recipe(pipeline, named=named))

        return await self._list(ask)

    async def figures(self, hours: int) -> Figures:
        """How the jobs of the last hours fared."""
        return await self._list(lambda: self._browser.figures(hours))

    async def hosts(self) -> list[HostView]:
        """The hosts that share this store, as their heartbeats tell of them."""
        return await self._read(self.roster.views)

    async def pauses(self) -> list[Pause]:
        """What no host takes up now."""
        return await self._read(self.store.pauses)

    async def count_foreign(self) -> dict[JobStatus, int]:
        """How many jobs of other programs there are, by status."""
        return await self._read(self.store.count_foreign)

    async def change_pause(self, asked: Pause, *, paused: bool) -> None:
        """Have no host take up these jobs, or have them taken up again."""
        change = self.store.pause if paused else self.store.resume
        await self._read(lambda: change([asked]))

    async def watches(self) -> Sequence[WatchStanding]:
        """All watches with their files, by name."""
        return await self._read(lambda: watches_of(self.store, self.roster))

    async def keep_watch(self, rule: Watch) -> str:
        """Make a watch, or change its rules; returns its name.

        Raises:
            UsageError: Another watch has its name, or its recipe can't be used.
        """

        def keep() -> str:
            with self._make_host() as host:
                return enrol(self.store, rule, "command", host).row.name

        return await self._read(keep)

    async def change_watch(self, name: str, **values: bool) -> None:
        """Change these values of a watch: paused, scan_asked."""
        await self._read(lambda: self.store.change_watch(name, **values))

    async def delete_watch(self, name: str) -> None:
        """Forget a watch; files and results stay."""
        await self._read(lambda: self.store.delete_watch(name))

    async def watch_previews(self, row: WatchRow) -> list[Preview]:
        """What a watch would do with each of its files; nothing is done."""

        def look() -> list[Preview]:
            with self._make_host() as host:
                return list(previews(host, self.store, row))

        return await self._list(look)

    def _make_host(self) -> Host:
        return make_host(self.settings, self.registry)

    async def _read(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._lines, call)

    async def _list(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._lists, call)
