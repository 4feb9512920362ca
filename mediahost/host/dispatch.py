"""Dispatch: claim jobs, have them run, commit how they ended, again and again."""

import logging
import queue
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Thread
from uuid import UUID

from mediahost.errors import MediahostError, StoreError
from mediahost.hashing import CacheKey
from mediahost.host.artifacts import ArtifactFolder
from mediahost.host.attempts import Attempts, FollowUps, failure_from, outcome_of
from mediahost.host.crash import crash_point
from mediahost.host.identity import is_abandoned, is_gone
from mediahost.host.inputs import so_far
from mediahost.host.look import Look
from mediahost.host.schedule import Schedule, Share
from mediahost.model.event import Event, EventKind
from mediahost.model.hosts import Heartbeat, HostStatus
from mediahost.model.job import ClaimedJob, JobRequest, JobStatus, Outcome, Token
from mediahost.ports import (
    AttemptSpec,
    Completion,
    Ended,
    Executor,
    ExecutorEvent,
    Hit,
    Progress,
    Setback,
    Started,
    Store,
)

log = logging.getLogger(__name__)

TICK_S = 0.05
# A transaction is written through to the disk, whatever is in it: the more, the better, short of
# having the workers wait. (Each attempt has two events at least.)
EVENTS_AT_ONCE = 2048
CANCEL_POLL_S = 0.25
CLAIM_POLL_S = 0.1
# With nothing to do for a while it looks less often. What this host submits wakes it.
IDLE_AFTER_S = 1.0
IDLE_POLL_S = 0.5
PROGRESS_EVERY_S = 0.5
WAIT_POLL_S = 0.25
HEARTBEAT_S = 5.0
# A host of another machine that has said nothing for so long is not listed any more.
FORGET_S = 3600.0

Listener = Callable[[Event], None]


class _Woken:
    """There is something to claim: don't wait for the next poll."""


@dataclass
class _Every:
    """Something done again every so often."""

    every_s: float
    due: float = 0.0

    def is_due(self) -> bool:
        now = time.monotonic()
        if now < self.due:
            return False
        self.due = now + self.every_s
        return True


class Dispatcher:
    """Runs jobs of a store on an executor. All its work is done by the thread that calls `run`."""

    def __init__(
        self,
        *,
        host: str,
        store: Store,
        executor: Executor,
        attempts: Attempts,
        artifacts: ArtifactFolder,
        follow_ups: FollowUps,
        late_follow_ups: Callable[[ClaimedJob], Sequence[JobRequest]],
        schedule: Schedule,
        heartbeat: Callable[[int, HostStatus], Heartbeat],
        lease_s: float,
        cancel_grace_s: float,
    ) -> None:
        self._host = host
        self._store = store
        self._executor = executor
        self._attempts = attempts
        self._artifacts = artifacts
        self._follow_ups = follow_ups
        self._late_follow_ups = late_follow_ups
        self._schedule = schedule
        self._heartbeat = heartbeat
        self._lease_s = lease_s
        self._cancel_grace_s = cancel_grace_s
        self._fetching: set[Token] = set()
        self._fetched: queue.SimpleQueue[ClaimedJob] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[ExecutorEvent | _Woken] = queue.SimpleQueue()
        self._in_hand: dict[Token, ClaimedJob] = {}
        self._progress: dict[Token, tuple[float, str]] = {}
        self._begun: set[Token] = set()
        self._withdrawn: set[Token] = set()
        self._draining = False
        self._renewals = _Every(lease_s / 4, time.monotonic() + lease_s / 4)
        self._reaping = _Every(lease_s / 4)
        self._cancels = _Every(CANCEL_POLL_S)
        self._reports = _Every(PROGRESS_EVERY_S)
        self._beats = _Every(min(HEARTBEAT_S, lease_s / 4))
        self._listener: Listener = lambda _event: None
        self._kinds: Collection[EventKind] = ()
        self._started = False
        self._claim_from = 0.0
        self._idle_from = 0.0

    def run(
        self,
        listener: Listener,
        *,
        kinds: Collection[EventKind] = frozenset(EventKind),
        source: str | None = None,
        wait_for: Iterable[UUID] = (),
        forever: bool = False,
        until: Callable[[], bool] = lambda: False,
    ) -> None:
        """Run jobs until none is left.

        Args:
            listener: Learns of events, on this thread.
            kinds: Of which kinds.
            source: Run this source's jobs only; None: all.
            wait_for: Jobs that must be final too before this returns, whoever runs them. While
                nothing else is to do, some that are still pending are taken over.
            forever: Wait for more when none is left. Ends by an exception, such as
                KeyboardInterrupt, or by `until`.
            until: End as soon as this says so; attempts under way are given back.

        On an exception, attempts under way are stopped and their jobs are given back.
        """
        self._listener = listener
        self._kinds = kinds
        self._claim_from = 0.0
        self._idle_from = time.monotonic() + IDLE_AFTER_S
        waiting = set(wait_for)
        polls = _Every(WAIT_POLL_S)
        try:
            while not until():
                # First: workers start while there is something else to do.
                self._claim(source)
                self._take_care()
                self._settle()
                if self._draining and not self._in_hand:
                    return
                if self._in_hand or forever or not polls.is_due():
                    continue
                waiting = self._still_waiting(waiting, source)
                if not waiting and not self._has_work(source):
                    return
            self._give_back()
        except BaseException:
            self._give_back()
            raise

    def drain(self) -> None:
        """Claim no more, give back what has not begun, let the rest finish. From any thread."""
        self._draining = True

    def wake(self) -> None:
        """Claim at once what was just submitted. From any thread."""
        self._events.put(_Woken())

    def close(self) -> None:
        """Stop the executor, say goodbye to the other hosts. Nothing may be in hand."""
        if self._started:
            self._executor.stop(drain=False, grace_s=self._cancel_grace_s)
        self._store.forget_hosts([self._host])

    def _take_care(self) -> None:
        if self._beats.is_due():
            status = HostStatus.DRAINING if self._draining else HostStatus.WORKING
            self._store.beat(self._heartbeat(len(self._in_hand), status))
        if self._reaping.is_due():
            self._reap()
        if self._renewals.is_due():
            self._renew()
        if self._in_hand and self._cancels.is_due():
            for token in self._store.cancel_requests(self._host):
                self._executor.cancel(token, self._cancel_grace_s)
        if self._progress and self._reports.is_due():
            self._store.report_progress(self._host, self._progress)
            self._progress.clear()

    def _reap(self) -> None:
        if reaped := self._store.reap(is_gone):
            log.info("%d jobs of lost hosts are pending again", len(reaped))
            self._claim_from = 0.0
        gone = [
            one.heartbeat.host
            for one in self._store.hosts()
            if one.silent_s > FORGET_S or is_gone(one.heartbeat.host)
        ]
        if gone:
            self._store.forget_hosts(gone)

    def _renew(self) -> None:
        running = self._executor.alive() if self._started else set()
        alive = (running | self._fetching) & self._in_hand.keys()
        if alive:
            for token in alive - self._store.renew(self._host, alive, self._lease_s):
                # Somebody else owns the job by now; what this attempt does can't count.
                self._executor.cancel(token, 0.0)

    def _claim(self, source: str | None) -> None:
        if self._draining:
            self._withdraw()
            return
        if time.monotonic() < self._claim_from or not self._has_room():
            return
        shares = self._schedule.shares(self._store.ready(source), self._free)
        claimed = sum(map(self._claim_share, shares))
        if claimed < sum(share.limit for share in shares) or not shares:
            pause = IDLE_POLL_S if self._is_idle else CLAIM_POLL_S
            self._claim_from = time.monotonic() + pause

    @property
    def _is_idle(self) -> bool:
        if self._in_hand:
            self._idle_from = time.monotonic() + IDLE_AFTER_S
            return False
        return time.monotonic() > self._idle_from

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
                self._submit_attempts(jobs)
        return share.limit - left

    def _submit_attempts(self, jobs: Sequence[ClaimedJob]) -> None:
        self._schedule.claimed(jobs)
        here: list[ClaimedJob] = []
        for job in jobs:
            self._in_hand[job.token] = job
            if self._attempts.is_here(job):
                here.append(job)
            else:
                # A server may take its time; leases have to be renewed meanwhile.
                self._fetching.add(job.token)
                Thread(target=self._fetch, args=(job,), name="fetch", daemon=True).start()
        self._run_here(here)

    def _run_here(self, jobs: Iterable[ClaimedJob]) -> None:
        look = self._attempts.look()
        specs: list[AttemptSpec] = []
        for job in jobs:
            try:
                specs.append(self._attempts.prepare(job, look))
            except (MediahostError, OSError) as error:
                if isinstance(error, StoreError):
                    raise
                self._events.put(_failed(job, error))
        self._executor.submit(*specs)

    def _fetch(self, job: ClaimedJob) -> None:
        try:
            self._attempts.fetch(job, partial(self._tell_fetched, job.token))
        except (MediahostError, OSError) as error:
            self._events.put(_failed(job, error))
        else:
            self._fetched.put(job)

    def _tell_fetched(self, token: Token, size: int, whole: int | None) -> None:
        self._events.put(Progress(token, size / whole if whole else 0.0, so_far(size, whole)))

    def _submit_fetched(self) -> None:
        while not self._fetched.empty():
            job = self._fetched.get()
            if job.token not in self._fetching:
                continue
            self._fetching.discard(job.token)
            if job.token in self._withdrawn:
                self._release([job.token])
            else:
                self._run_here([job])

    def _withdraw(self) -> None:
        """Give back what was claimed ahead and has not begun."""
        for token in self._in_hand.keys() - self._begun - self._withdrawn:
            self._withdrawn.add(token)
            self._executor.cancel(token, self._cancel_grace_s)

    def _has_room(self) -> bool:
        if not self._started:
            self._executor.start(self._events.put)
            self._started = True
        return self._schedule.has_room(self._executor.capacity())

    def _free(self, pool: str) -> int:
        capacity = self._executor.capacity()
        return capacity.get(pool, capacity.get("cpu", 0))

    def _settle(self) -> None:
        """Wait a tick for events, then write all that have come in one transaction."""
        self._submit_fetched()
        ended: list[Ended] = []
        for event in self._next_events():
            if isinstance(event, _Woken):
                self._claim_from = 0.0
                self._idle_from = time.monotonic() + IDLE_AFTER_S
                continue
            job = self._in_hand.get(event.token)
            if job is None:
                continue
            if isinstance(event, Ended):
                if event.outcome is Outcome.CANCELLED and event.token in self._withdrawn:
                    self._release([event.token])
                else:
                    ended.append(event)
            elif isinstance(event, Progress):
                self._progress[event.token] = (event.fraction, event.message)
                self._tell(job, EventKind.PROGRESSED, event.message, event.fraction)
            elif isinstance(event, Started):
                crash_point("started")
                self._begun.add(event.token)
                self._tell(job, EventKind.STARTED)
        if ended:
            self._commit(ended)

    def _next_events(self) -> Iterable[ExecutorEvent | _Woken]:
        try:
            yield self._events.get(timeout=IDLE_POLL_S if self._is_idle else TICK_S)
            for _ in range(EVENTS_AT_ONCE - 1):
                yield self._events.get_nowait()
        except queue.Empty:
            return

    def _commit(self, ended: Iterable[Ended]) -> None:
        completions: list[Completion] = []
        setbacks: list[Setback] = []
        fresh: dict[CacheKey, Hit] = {}
        look = self._attempts.look()
        for event in ended:
            job = self._drop(event.token, event.elapsed_ms / 1000)
            judged = self._judge(job, event, look, fresh)
            self._attempts.forget(event.token)
            if isinstance(judged, Completion):
                completions.append(judged)
            else:
                setbacks.append(judged)
        written = self._store.commit(self._host, completions, setbacks)
        if completions:
            crash_point("committed")
        if any(done.follow_ups for done in completions):
            self._claim_from = 0.0
        judgements: list[Completion | Setback] = [*completions, *setbacks]
        self._artifacts.unstage([done.job.token for done in judgements])
        for done in judgements:
            token = done.job.token
            if token in written:
                self._announce(done)
            elif isinstance(done, Completion):
                self._artifacts.discard(token)
        for done in completions:
            if done.job.token in written:
                self._submit(self._late_follow_ups(done.job))

    def _drop(self, token: Token, elapsed_s: float | None = None) -> ClaimedJob:
        job = self._in_hand.pop(token)
        self._begun.discard(token)
        # Mostly empty, and a token takes a while to be looked up.
        if self._progress:
            self._progress.pop(token, None)
        if self._withdrawn:
            self._withdrawn.discard(token)
        if self._fetching:
            self._fetching.discard(token)
        self._schedule.ended(job, elapsed_s)
        return job

    def _release(self, tokens: Sequence[Token]) -> None:
        """Give jobs back untried."""
        self._store.release(self._host, tokens)
        for token in tokens:
            self._attempts.forget(token)
            self._drop(token)
        self._artifacts.unstage(tokens)

    def _submit(self, requests: Sequence[JobRequest]) -> None:
        for request, job_id in zip(requests, self._store.submit(requests), strict=True):
            if request.job_id == job_id:
                self._tell_of(request, EventKind.SUBMITTED)
                self._claim_from = 0.0

    def _judge(
        self, job: ClaimedJob, ended: Ended, look: Look, fresh: dict[CacheKey, Hit]
    ) -> Completion | Setback:
        if ended.outcome is Outcome.OK:
            crash_point("ran")
            try:
                return self._attempts.completed(job, ended, look, fresh, self._follow_ups)
            except StoreError:
                raise
            except (MediahostError, OSError) as error:
                failure = failure_from(error)
                return self._attempts.failed(job, outcome_of(error), failure, ended.elapsed_ms)
        if ended.failure is None:
            raise ValueError("an attempt that did not end well has a failure")
        return self._attempts.failed(job, ended.outcome, ended.failure, ended.elapsed_ms)

    def _announce(self, done: Completion | Setback) -> None:
        if isinstance(done, Completion):
            self._tell(done.job, EventKind.COMPLETED, elapsed_ms=done.elapsed_ms)
            for request in done.follow_ups:
                self._tell_of(request, EventKind.SUBMITTED)
        elif done.retry_in_s is not None:
            self._tell(
                done.job, EventKind.RETRIED, done.failure.message, retry_in_s=done.retry_in_s
            )
        elif done.outcome is Outcome.CANCELLED:
            self._tell(done.job, EventKind.CANCELLED, done.failure.message)
        else:
            self._tell(
                done.job,
                EventKind.FAILED,
                done.failure.message,
                outcome=str(done.outcome),
                hint=done.failure.hint,
            )

    def _tell(
        self,
        job: ClaimedJob,
        kind: EventKind,
        message: str = "",
        fraction: float | None = None,
        **details: object,
    ) -> None:
        self._tell_of(job.request, kind, message, fraction, **details)

    def _tell_of(
        self,
        request: JobRequest,
        kind: EventKind,
        message: str = "",
        fraction: float | None = None,
        **details: object,
    ) -> None:
        if kind not in self._kinds:
            return
        details["key"] = [request.media.file_hash, request.config_hash]
        url = request.media.source
        self._listener(Event(kind, request.action, url, request.job_id, fraction, message, details))

    def _still_waiting(self, waiting: set[UUID], source: str | None) -> set[UUID]:
        """Jobs that others run for us.

        What nobody will claim becomes ours, and of what others would claim later as much as
        there is room for: two runs over one folder share its jobs.
        """
        if not waiting:
            return waiting
        left = [job for job in self._store.get_jobs(waiting).values() if not job.status.final]
        pending = [job for job in left if job.status is JobStatus.PENDING and job.source != source]
        abandoned = [job.job_id for job in pending if is_abandoned(job.source)]
        theirs = [job.job_id for job in pending if not is_abandoned(job.source)]
        if source is not None and (abandoned or theirs):
            self._store.adopt(abandoned + theirs[: max(1, self._free("cpu"))], source)
            self._claim_from = 0.0
        return {job.job_id for job in left}

    def _has_work(self, source: str | None) -> bool:
        """Whether anything is to come; what is paused isn't, unless somebody waits for it."""
        if source is None:
            return self._store.count_waiting(without=self._schedule.foreign) > 0
        return self._store.has_active(source)

    def _give_back(self) -> None:
        """Stop what runs; commit what had ended well, give the rest back untried."""
        if not self._started:
            return
        self._executor.stop(drain=False, grace_s=self._cancel_grace_s)
        self._started = False
        ended = {event.token: event for event in self._left_events() if isinstance(event, Ended)}
        well = [event for event in ended.values() if event.outcome is Outcome.OK]
        self._commit([event for event in well if event.token in self._in_hand])
        self._release(list(self._in_hand))

    def _left_events(self) -> Iterable[ExecutorEvent | _Woken]:
        while not self._events.empty():
            yield self._events.get_nowait()


def _failed(job: ClaimedJob, error: MediahostError | OSError) -> Ended:
    """The end of an attempt that could not begin."""
    return Ended(job.token, outcome_of(error), failure=failure_from(error))
