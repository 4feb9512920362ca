"""A store without a file: for tests, and for work that need not be remembered.

It keeps every promise of `mediahost.ports.Store` but durability, and loads no SQL.
"""

import json
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from mediahost.cached import CachedFile, CachedFolder, CachedFolders, HashedFile, Hit
from mediahost.errors import IllegalTransition
from mediahost.hashing import DEFAULT_ALGORITHM, Algorithm, CacheKey
from mediahost.model.hosts import Heartbeat, HostView
from mediahost.model.job import (
    LOSSES_TO_RUN_ALONE,
    MOST_LOSSES,
    TOO_MANY_LOSSES,
    TRANSITIONS,
    AttemptView,
    ClaimedJob,
    Failure,
    JobRequest,
    JobStatus,
    JobView,
    Outcome,
    Token,
    limited_priority,
)
from mediahost.model.lineage import Making
from mediahost.model.paths import path_to_url
from mediahost.model.pause import Pause
from mediahost.model.result import MediaProcessingResult, Result
from mediahost.model.search import Found, Search
from mediahost.ports import Completion, Ready, Setback, StoredResult
from mediahost.store.documents import document_of
from mediahost.store.hits import artifacts_of
from mediahost.store.matching import matches
from mediahost.store.passages import Passage, passages_of
from mediahost.store.searching import once
from mediahost.store.snippets import snippet_of

_NO_FAILURES = frozenset({Outcome.LOST, Outcome.CANCELLED})
_LOST = Failure("Its host went away or fell silent before it was done")
_ACTIVE = frozenset({JobStatus.PENDING, JobStatus.PROCESSING})


@dataclass(slots=True)
class _Record:
    """A job and what becomes of it."""

    request: JobRequest
    number: int
    source: str
    status: JobStatus = JobStatus.PENDING
    attempt: int = 0
    failures: int = 0
    host: str | None = None
    lease_until: float = 0.0
    run_after: float = 0.0
    cancel_requested: bool = False
    result: Mapping[str, Any] | None = None
    error: str | None = None
    processing_time_ms: int | None = None
    progress: tuple[float | None, str] = (None, "")
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: datetime | None = None
    completed_at: datetime | None = None

    attempts: list[AttemptView] = field(default_factory=list)

    @property
    def is_ahead(self) -> bool:
        """Whether a host has it that doesn't run it yet."""
        return self.host is not None and self.started_at is None

    @property
    def shown(self) -> JobStatus:
        """The status as people see it."""
        return JobStatus.PENDING if self.is_ahead else self.status

    @property
    def losses(self) -> int:
        """How often what ran it went away, since it last ended."""
        ends = [each.attempt for each in self.attempts if each.retry_in_s is None]
        return sum(
            each.outcome is Outcome.LOST and each.attempt > max(ends, default=0)
            for each in self.attempts
        )

    def note(
        self,
        outcome: Outcome,
        host: str,
        failure: Failure,
        *,
        elapsed_ms: int = 0,
        retry_in_s: float | None = None,
    ) -> None:
        """Keep why the attempt gave no result."""
        self.attempts.append(
            AttemptView(
                attempt=self.attempt,
                outcome=outcome,
                host=host,
                error=_in_words(failure),
                traceback=failure.traceback,
                ended_at=datetime.now(UTC),
                elapsed_ms=elapsed_ms,
                retry_in_s=retry_in_s,
            )
        )

    @property
    def pair(self) -> Ready:
        return Ready(self.source, self.request.action)

    @property
    def token(self) -> Token:
        return Token(self.request.job_id, self.attempt)

    @property
    def key(self) -> CacheKey:
        if self.request.media.file_hash is None:
            raise ValueError(f"{self.request.media.path} has no hash; hash it before submitting")
        return CacheKey(self.request.media.file_hash, self.request.config_hash)

    def become(self, status: JobStatus) -> None:
        """Leave the hands of a host, if it was in any."""
        self.status = status
        self.host = None
        self.cancel_requested = False
        self.progress = (None, "")
        self.updated_at = datetime.now(UTC)
        if status is JobStatus.PENDING:
            self.started_at = None
        self.completed_at = self.updated_at if status.final else None

    def let_go(self) -> None:
        """Be pending again, or cancelled if somebody asked for that."""
        self.become(JobStatus.CANCELLED if self.cancel_requested else JobStatus.PENDING)

    def view(self) -> JobView:
        request = self.request
        return JobView(
            job_id=request.job_id,
            number=self.number,
            status=self.shown,
            action=request.action,
            media_url=request.media.source,
            file_hash=self.key.file_hash,
            config_hash=self.key.config_hash,
            parameters=_as_stored({"config": request.config, "inputs": request.inputs}),
            attempt=self.attempt,
            failures=self.failures,
            source=self.source,
            priority=request.priority,
            created_at=self.created_at,
            updated_at=self.updated_at,
            started_at=self.started_at,
            completed_at=self.completed_at,
            processing_time_ms=self.processing_time_ms,
            error=self.error,
            result=self.result,
            host=self.host,
            cancel_requested=self.cancel_requested,
            cached=False,
            progress=self.progress[0],
            progress_message=self.progress[1],
        )


class MemoryStore:
    """What remembers, for as long as the process lives. See `mediahost.ports.Store`."""

    def __init__(self, algorithm: Algorithm = DEFAULT_ALGORITHM) -> None:
        self._algorithm = algorithm
        self._lock = threading.RLock()
        self._jobs: dict[UUID, _Record] = {}
        self._last_number = 0
        self._results: dict[CacheKey, StoredResult] = {}
        self._hashes: dict[str, dict[str, HashedFile]] = {}
        self._folders: dict[tuple[str, str], tuple[int, CachedFolder]] = {}
        self._results_lost = 0
        self._heard: dict[str, tuple[Heartbeat, datetime, float]] = {}
        self._paused: set[Pause] = set()

    @property
    def algorithm(self) -> Algorithm:
        """The hash algorithm that this store was made with."""
        return self._algorithm

    def close(self) -> None:
        """There is nothing to let go of."""

    def recall_hashes(self, folders: Collection[str]) -> dict[str, dict[str, HashedFile]]:
        """What is remembered of the files right in each of these folders."""
        with self._lock:
            return {each: dict(self._hashes[each]) for each in folders if each in self._hashes}

    def recall_cached(
        self, folders: Collection[str], config_hash: str
    ) -> dict[str, dict[str, CachedFile]]:
        """Of the files right in these folders those whose content has an analyzer's result."""
        with self._lock:
            found: dict[str, dict[str, CachedFile]] = {}
            for folder in folders:
                for name, memo in self._hashes.get(folder, {}).items():
                    stored = self._results.get(CacheKey(memo.file_hash, config_hash))
                    if stored and _is_whole_analysis(stored.result):
                        told = (*memo.stat, memo.hashed_at_ns, stored.hit.elapsed_ms)
                        found.setdefault(folder, {})[name] = told
            return found

    def recall_folders(self, folders: Collection[str], recipe_hash: str) -> CachedFolders:
        """Those of these folders that had all results of a recipe, none of which was lost since."""
        with self._lock:
            as_of = self._results_lost
            known = ((folder, self._folders.get((folder, recipe_hash))) for folder in folders)
            found = {folder: it[1] for folder, it in known if it and it[0] == as_of}
            return CachedFolders(as_of, found)

    def remember_folders(
        self, recipe_hash: str, as_of: int, folders: Mapping[str, CachedFolder]
    ) -> None:
        """Remember that these folders have all results of a recipe."""
        with self._lock:
            for folder, cached in folders.items():
                self._folders[folder, recipe_hash] = (as_of, cached)

    def recall_hash(self, folder: str, name: str) -> HashedFile | None:
        """What is remembered of one file."""
        with self._lock:
            return self._hashes.get(folder, {}).get(name)

    def remember_hashes(self, files: Iterable[tuple[str, str, HashedFile]]) -> None:
        """Remember the hashes of files, each given by folder and name; the newest wins."""
        with self._lock:
            for folder, name, file in files:
                memos = self._hashes.setdefault(folder, {})
                known = memos.get(name)
                if known is None or known.hashed_at_ns <= file.hashed_at_ns:
                    memos[name] = file
                    if known and known.stat == file.stat and known.file_hash != file.file_hash:
                        self._results_lost += 1

    def find_hits(self, keys: Collection[CacheKey]) -> dict[CacheKey, Hit]:
        """The cached results among these keys."""
        with self._lock:
            return {key: self._results[key].hit for key in keys if key in self._results}

    def load_results(self, keys: Collection[CacheKey]) -> dict[CacheKey, StoredResult]:
        """The cached results among these keys, whole."""
        with self._lock:
            return {key: self._results[key] for key in keys if key in self._results}

    def results_of(self, file_hash: str) -> list[StoredResult]:
        """All cached results for the content with this hash, the newest first, one a key."""
        with self._lock:
            # In the order of their making: a newer one is put at the end.
            return [
                stored
                for key, stored in reversed(self._results.items())
                if key.file_hash == file_hash
            ]

    def results_at(self, media_url: str) -> list[StoredResult]:
        """All cached results computed from a file at this path, newest first."""
        with self._lock:
            return [
                stored
                for stored in reversed(self._results.values())
                if stored.media_url == media_url
            ]

    def search(self, search: Search) -> list[Found]:
        """What is found: in the order it came, or time ranges in the order of their files."""
        with self._lock:
            # A newer result at a path takes the place of what other content gave there.
            at = {(one.media_url, one.hit.key.config_hash): one for one in self._results.values()}
            found = [
                replace(found, snippet=snippet_of(found.snippet, search.terms))
                for stored in at.values()
                for passage in passages_of(document_of(stored.result))
                if matches(passage, search)
                for found in (_found(stored, passage),)
            ]
        if not search.terms:
            found.sort(key=lambda one: (one.media_url, one.start_s or 0))
        return (once(found) if search.terms else found)[: search.limit]

    def makings_into(self, file_hashes: Collection[str]) -> list[Making]:
        """The makings that one of these contents came out of, the oldest first."""
        wanted = set(file_hashes)
        return [each for each in self._makings() if wanted & {made for _, made in each.made}]

    def makings_from(self, file_hashes: Collection[str]) -> list[Making]:
        """The makings that one of these contents went into, the oldest first."""
        return [each for each in self._makings() if each.file_hash in file_hashes]

    def makings_at(self, media_url: str) -> list[Making]:
        """The makings of, or out of, a file at this path, the oldest first."""
        return [
            each
            for each in self._makings()
            if media_url == each.media_url or media_url in {path for path, _ in each.made}
        ]

    def _makings(self) -> list[Making]:
        with self._lock:
            return [
                _making(stored)
                for stored in self._results.values()
                if isinstance(stored.result, MediaProcessingResult)
            ]

    def submit(self, requests: Sequence[JobRequest]) -> list[UUID]:
        """Keep jobs, pending; a key that an active job has already gets no second one."""
        with self._lock:
            answering = self._active_jobs()
            for request in requests:
                record = _Record(request, self._last_number + 1, request.source)
                if record.key not in answering:
                    answering[record.key] = request.job_id
                    self._jobs[request.job_id] = record
                    self._last_number += 1
            return [
                answering[CacheKey(str(request.media.file_hash), request.config_hash)]
                for request in requests
            ]

    def adopt(self, job_ids: Collection[UUID], source: str) -> None:
        """Make those of these jobs that are pending belong to `source`."""
        with self._lock:
            for record in self._these(job_ids):
                if record.status is JobStatus.PENDING:
                    record.source = source

    def ready(self, source: str | None = None) -> list[Ready]:
        """Which sources wait for which actions; what is paused or for later is left out."""
        with self._lock:
            return sorted({record.pair for record in self._due(source)})

    def claim(
        self,
        host: str,
        limit: int,
        lease_s: float,
        source: str | None = None,
        actions: Collection[str] | None = None,
        *,
        ahead: bool = False,
    ) -> list[ClaimedJob]:
        """Take up to `limit` pending jobs that are due, each for `lease_s` seconds."""
        with self._lock:
            now = time.time()
            due = [
                record
                for record in self._due(source)
                if actions is None or record.request.action in actions
            ]
            due.sort(key=lambda record: (-record.request.priority, record.number))
            return [_claim(record, host, now + lease_s, ahead=ahead) for record in due[:limit]]

    def begin(self, host: str, tokens: Collection[Token]) -> set[Token]:
        """Note that attempts run which were claimed ahead; returns those still held."""
        with self._lock:
            held = self._held(host, tokens)
            for record in held.values():
                record.started_at = record.started_at or datetime.now(UTC)
            return set(held)

    def renew(self, host: str, tokens: Collection[Token], lease_s: float) -> set[Token]:
        """Hold these attempts for `lease_s` seconds from now; returns those still held."""
        with self._lock:
            held = self._held(host, tokens)
            for record in held.values():
                record.lease_until = time.time() + lease_s
            return set(held)

    def commit(
        self, host: str, completions: Sequence[Completion], setbacks: Sequence[Setback] = ()
    ) -> set[Token]:
        """Write how attempts ended; returns those that were still held."""
        with self._lock:
            tokens = [each.job.token for each in completions]
            held = self._held(host, [*tokens, *(each.job.token for each in setbacks)])
            written = set(held)
            follow_ups: list[JobRequest] = []
            for completion in completions:
                record = held.pop(completion.job.token, None)
                if record is not None:
                    self._complete(record, completion)
                    follow_ups += completion.follow_ups
            for setback in setbacks:
                record = held.pop(setback.job.token, None)
                if record is not None:
                    _set_back(record, host, setback)
            self.submit(follow_ups)
            return written

    def release(self, host: str, tokens: Collection[Token], after_s: float = 0.0) -> None:
        """Give these attempts back untried; those that were to be cancelled are cancelled."""
        with self._lock:
            for record in self._held(host, tokens).values():
                record.let_go()
                record.run_after = time.time() + after_s if after_s > 0 else 0.0

    def _take_back(self, records: Iterable[_Record]) -> None:
        for record in records:
            if record.is_ahead:
                record.become(JobStatus.PENDING)

    def reap(self, is_gone: Callable[[str], bool]) -> list[UUID]:
        """Take jobs back whose lease is over, or whose host `is_gone`; returns all of them."""
        with self._lock:
            now = time.time()
            reaped = [
                record
                for record in self._jobs.values()
                if record.host is not None and (record.lease_until <= now or is_gone(record.host))
            ]
            for record in reaped:
                _lose(record)
            return [record.request.job_id for record in reaped]

    def report_progress(self, host: str, progress: Mapping[Token, tuple[float, str]]) -> None:
        """Note how far attempts are: fraction and message."""
        with self._lock:
            for token, record in self._held(host, progress).items():
                record.progress = progress[token]

    def request_cancel(self, job_ids: Collection[UUID]) -> dict[UUID, JobStatus]:
        """Cancel jobs: pending ones at once, processing ones by asking their host."""
        with self._lock:
            self._take_back(self._these(job_ids))
            for record in self._these(job_ids):
                if record.status is JobStatus.PENDING:
                    record.become(JobStatus.CANCELLED)
                elif record.status is JobStatus.PROCESSING:
                    record.cancel_requested = True
            return {record.request.job_id: record.status for record in self._these(job_ids)}

    def change_priority(
        self, job_ids: Collection[UUID], priority: int, *, relative: bool = False
    ) -> dict[UUID, int]:
        """Have pending jobs go earlier or later; returns the priority of each, after the call."""
        with self._lock:
            self._take_back(self._these(job_ids))
            pending = [each for each in self._these(job_ids) if each.status is JobStatus.PENDING]
            for record in pending:
                before = record.request.priority if relative else 0
                changed = limited_priority(before + priority)
                record.request = replace(record.request, priority=changed)
                record.updated_at = datetime.now(UTC)
            return {record.request.job_id: record.request.priority for record in pending}

    def cancel_requests(self, host: str) -> set[Token]:
        """This host's attempts that somebody asked to cancel."""
        with self._lock:
            return {
                record.token
                for record in self._jobs.values()
                if record.host == host and record.cancel_requested
            }

    def retry(self, job_ids: Collection[UUID]) -> list[UUID]:
        """Make failed and cancelled jobs pending again, their failures forgotten.

        Raises:
            IllegalTransition: One of them is neither failed nor cancelled.
        """
        with self._lock:
            records = self._these(job_ids)
            for record in records:
                if JobStatus.PENDING not in TRANSITIONS[record.status]:
                    raise not_retriable(record.number, record.status)
            again = []
            taken = set(self._active_jobs())
            for record in records:
                if record.key not in taken:
                    taken.add(record.key)
                    again.append(record.request.job_id)
                    record.become(JobStatus.PENDING)
                    record.failures, record.run_after = 0, 0.0
                    record.error = record.processing_time_ms = None
            return again

    def delete_jobs(self, job_ids: Collection[UUID]) -> int:
        """Delete jobs that are not processing; returns how many there were.

        Raises:
            IllegalTransition: One of them is processing.
        """
        with self._lock:
            records = self._these(job_ids)
            self._take_back(records)
            for record in records:
                if record.status is JobStatus.PROCESSING:
                    raise not_deletable(record.number)
            for record in records:
                del self._jobs[record.request.job_id]
            return len(records)

    def jobs(
        self,
        *,
        statuses: Collection[JobStatus] = (),
        source: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[JobView]:
        """Jobs, the newest first. No status given: any."""
        with self._lock:
            wanted = [
                record
                for record in reversed(self._jobs.values())
                if (not statuses or record.shown in statuses) and source in (None, record.source)
            ]
            return [record.view() for record in wanted[offset : offset + limit]]

    def get_jobs(self, job_ids: Collection[UUID]) -> dict[UUID, JobView]:
        """Those of these jobs that exist."""
        with self._lock:
            return {record.request.job_id: record.view() for record in self._these(job_ids)}

    def job_numbered(self, number: int) -> JobView | None:
        """The job with this number, or None."""
        with self._lock:
            found = (record for record in self._jobs.values() if record.number == number)
            return next((record.view() for record in found), None)

    def count_jobs(self, source: str | None = None) -> dict[JobStatus, int]:
        """How many jobs there are of each status, none included."""
        with self._lock:
            counts = dict.fromkeys(JobStatus, 0)
            for record in self._jobs.values():
                if source in (None, record.source):
                    counts[record.shown] += 1
            return counts

    def attempts_of(self, job_id: UUID) -> list[AttemptView]:
        """The attempts at a job that gave no result, the first one first."""
        with self._lock:
            return [each for record in self._these([job_id]) for each in record.attempts]

    def beat(self, heartbeat: Heartbeat) -> None:
        """Tell the others that this host lives, and what it does."""
        with self._lock:
            known = self._heard.get(heartbeat.host)
            started_at = known[1] if known else datetime.now(UTC)
            self._heard[heartbeat.host] = (heartbeat, started_at, time.time())

    def hosts(self) -> list[HostView]:
        """The hosts that were heard of and have not left, the longest known first."""
        with self._lock:
            return [
                HostView(heartbeat, started_at, time.time() - seen_at)
                for heartbeat, started_at, seen_at in self._heard.values()
            ]

    def forget_hosts(self, names: Collection[str]) -> None:
        """These hosts have left or are gone."""
        with self._lock:
            for name in names:
                self._heard.pop(name, None)

    def proof(self, host: str) -> None:
        """It has no locks that end with a process."""

    def proven(self, names: Collection[str]) -> set[str]:  # noqa: ARG002 - of the port
        """None: it has no locks that end with a process."""
        return set()

    def pause(self, pauses: Collection[Pause]) -> None:
        """Have no host claim these jobs; those under way go on."""
        with self._lock:
            self._paused |= set(pauses)
            self._take_back(each for each in self._jobs.values() if self._is_paused(each))

    def resume(self, pauses: Collection[Pause]) -> set[Pause]:
        """Have these jobs claimed again; returns those that were paused."""
        with self._lock:
            resumed = self._paused & set(pauses)
            self._paused -= resumed
            return resumed

    def pauses(self) -> list[Pause]:
        """What is paused."""
        with self._lock:
            return sorted(self._paused)

    def count_foreign(self) -> dict[JobStatus, int]:
        """No other program keeps its jobs here."""
        return {}

    def count_waiting(
        self,
        source: str | None = None,
        without: Collection[str] = (),
        most: int | None = None,
    ) -> int:
        """How many jobs are processing, or pending and not paused; no more than `most`."""
        with self._lock:
            waiting = sum(
                record.status is JobStatus.PROCESSING
                or not (self._is_paused(record) or record.request.action in without)
                for record in self._jobs.values()
                if record.status in _ACTIVE and source in (None, record.source)
            )
        return waiting if most is None else min(waiting, most)

    def has_active(self, source: str) -> bool:
        """Whether any job of a source is pending or processing."""
        with self._lock:
            return any(
                record.source == source and record.status in _ACTIVE
                for record in self._jobs.values()
            )

    def _is_paused(self, record: _Record) -> bool:
        return any(pause.holds(*record.pair) for pause in self._paused)

    def _due(self, source: str | None) -> list[_Record]:
        now = time.time()
        return [
            record
            for record in self._jobs.values()
            if record.status is JobStatus.PENDING
            and record.run_after <= now
            and source in (None, record.source)
            and not self._is_paused(record)
        ]

    def _these(self, job_ids: Iterable[UUID]) -> list[_Record]:
        return [self._jobs[each] for each in dict.fromkeys(job_ids) if each in self._jobs]

    def _held(self, host: str, tokens: Iterable[Token]) -> dict[Token, _Record]:
        records = {token: self._jobs.get(token.job_id) for token in tokens}
        return {
            token: record
            for token, record in records.items()
            if record is not None and record.token == token and record.host == host
        }

    def _active_jobs(self) -> dict[CacheKey, UUID]:
        return {
            record.key: record.request.job_id
            for record in self._jobs.values()
            if record.status in _ACTIVE
        }

    def _complete(self, record: _Record, completion: Completion) -> None:
        record.become(JobStatus.COMPLETED)
        record.started_at = record.started_at or record.completed_at
        record.result = document_of(completion.result)
        record.error = completion.result.completeness.describe() or None
        record.processing_time_ms = completion.elapsed_ms
        self._results_lost += not completion.result.completeness.complete
        self._results.pop(record.key, None)
        self._results[record.key] = _stored(record, completion)


def not_retriable(number: int, status: str) -> IllegalTransition:
    """The error for a job that can't be tried again."""
    return IllegalTransition(
        f"Job {number} is {status}, so it can't be tried again",
        "Only failed and cancelled jobs can.",
    )


def not_deletable(number: int) -> IllegalTransition:
    """The error for a job that can't be deleted."""
    return IllegalTransition(
        f"Job {number} is processing, so it can't be deleted", "Cancel it first."
    )


def _in_words(failure: Failure) -> str:
    return f"{failure.message}\n{failure.hint}" if failure.hint else failure.message


def _lose(record: _Record) -> None:
    """Its host is gone."""
    is_last = record.losses + 1 >= MOST_LOSSES and not record.cancel_requested
    if record.is_ahead:
        record.let_go()
        return
    record.note(Outcome.LOST, record.host or "", _LOST, retry_in_s=None if is_last else 0.0)
    if is_last:
        record.become(JobStatus.FAILED)
        record.error = TOO_MANY_LOSSES
    else:
        record.let_go()


def _claim(record: _Record, host: str, lease_until: float, *, ahead: bool) -> ClaimedJob:
    record.status = JobStatus.PROCESSING
    record.attempt += 1
    record.host, record.lease_until = host, lease_until
    record.updated_at = datetime.now(UTC)
    waits = ahead or record.losses >= LOSSES_TO_RUN_ALONE
    record.started_at = None if waits else record.updated_at
    request = replace(record.request, source=record.source)
    return ClaimedJob(request, record.token, record.failures, record.losses)


def _set_back(record: _Record, host: str, setback: Setback) -> None:
    failure = setback.failure
    repeat = setback.retry_in_s is not None
    again = repeat and not record.cancel_requested
    record.note(
        setback.outcome,
        host,
        failure,
        elapsed_ms=setback.elapsed_ms,
        retry_in_s=setback.retry_in_s if again else None,
    )
    if again:
        record.become(JobStatus.PENDING)
        record.run_after = time.time() + (setback.retry_in_s or 0.0)
    elif repeat or setback.outcome is Outcome.CANCELLED:
        record.become(JobStatus.CANCELLED)
    else:
        record.become(JobStatus.FAILED)
    record.error = _in_words(failure)
    record.processing_time_ms = setback.elapsed_ms
    if setback.outcome not in _NO_FAILURES:
        record.failures += 1


def _stored(record: _Record, completion: Completion) -> StoredResult:
    request, result = completion.job.request, completion.result
    artifacts = (
        artifacts_of(document_of(result)["artifacts"])
        if isinstance(result, MediaProcessingResult)
        else ()
    )
    return StoredResult(
        hit=Hit(
            record.key,
            completion.result_hash,
            completion.elapsed_ms,
            artifacts,
            result.completeness.describe(),
        ),
        action=request.action,
        action_version=request.action_version,
        config=request.config,
        media_url=request.media.source,
        result=result,
        created_at=time.time(),
    )


def _is_whole_analysis(result: Result) -> bool:
    return not isinstance(result, MediaProcessingResult) and result.completeness.complete


def _as_stored(value: Mapping[str, Any]) -> dict[str, Any]:
    """As it comes back out of a JSON column: tuples are lists."""
    plain: dict[str, Any] = json.loads(json.dumps(value, default=dict))
    return plain


def _found(stored: StoredResult, passage: Passage) -> Found:
    kind, label, start_s, end_s, page, words, _ = passage
    content = stored.hit.key.file_hash
    return Found(stored.media_url, content, stored.action, kind, label, start_s, end_s, page, words)


def _making(stored: StoredResult) -> Making:
    return Making(
        job_id="",
        action=stored.action,
        action_version=stored.action_version,
        config=stored.config,
        media_url=stored.media_url,
        file_hash=stored.hit.key.file_hash,
        made=tuple((path_to_url(path), made) for path, made in stored.hit.artifacts),
        created_at=stored.created_at,
    )
