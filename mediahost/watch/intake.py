"""Intake: from a file that is whole to its results, outputs, and what becomes of it."""

import errno
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from mediahost.errors import MediahostError, Unavailable
from mediahost.hashing import CacheKey, FileStat
from mediahost.host.files import Candidate
from mediahost.host.found import FoundFile, Problem
from mediahost.host.standing import Standing, StandingOrder
from mediahost.host.writers import Writers, writers_of
from mediahost.model.job import JobStatus, JobView, Outcome
from mediahost.model.paths import display, url_to_path
from mediahost.model.watch import FileState, Watch
from mediahost.ports import OwnOutput, WatchedFile, WatchStore
from mediahost.watch.aftermath import after_failure, after_success
from mediahost.watch.ledger import Ledger
from mediahost.watch.news import News, Tell
from mediahost.watch.original import Kept
from mediahost.watch.outputs import Outputs

# What one watch made another may take in, but not for ever.
DEEPEST = 3

# Jobs that other hosts run tell nothing here: they are asked after so often, so many at a time.
ASK_S = 2.0
ASK_JOBS = 500

# A name that the place doesn't take is this file's alone; of all else the place is at fault.
_NAME_FAULTS = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ})
# The place where a file was to be moved to is full or gone; anything else keeps that file.
_PLACE_FAULTS = frozenset(
    {
        errno.EDQUOT,
        errno.EHOSTDOWN,
        errno.EIO,
        errno.ENODEV,
        errno.ENOSPC,
        errno.ENOTCONN,
        errno.EROFS,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)

# Something that every file needs is missing: it is looked for again after so long, then after
# twice as long, with one file at first.
REST_FIRST_S = 10.0
REST_LONGEST_S = 300.0
# So long may it take until that one is whole.
PROBE_S = 30.0

Resettle = Callable[[FoundFile, WatchedFile, bool], None]


@dataclass
class Queued:
    """A file whose jobs are not all done.

    Attributes:
        file: What it was like when it was taken in.
        known: What the store knows of it.
        root: It with its hash.
        depth: How many watches its content came through before.
        jobs: Its jobs that are not known to be final, by id.
        is_held: More of it is to be submitted when it may be.
        errors: Keys that gave no result, and why.
        since: When it was taken in, by the monotonic clock.
    """

    file: FoundFile
    known: WatchedFile
    root: Candidate
    depth: int
    jobs: dict[UUID, CacheKey] = field(default_factory=dict)
    is_held: bool = False
    errors: dict[CacheKey, str] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)


class Intake:
    """Has the recipe done for the files of one watch that are whole.

    All methods but `job_ended` belong to the watch's own thread.
    """

    def __init__(
        self,
        *,
        store: WatchStore,
        watch_id: int,
        rule: Watch,
        order: StandingOrder,
        ledger: Ledger,
        wake: Callable[[], None],
        tell: Tell,
        resettle: Resettle,
    ) -> None:
        self._store = store
        self._watch_id = watch_id
        self._rule = rule
        self._order = order
        self._ledger = ledger
        self._wake = wake
        self._tell = tell
        self._resettle = resettle
        self._outputs = Outputs(store, watch_id, rule)
        self._queued: dict[str, Queued] = {}
        self._files_of: dict[UUID, set[str]] = defaultdict(set)
        self._waiting: dict[str, tuple[FoundFile, WatchedFile, bool]] = {}
        self._ended: set[UUID] = set()
        self._touched: set[UUID] = set()
        self._lock = threading.Lock()
        self._ask_at = 0.0
        self._stop_at = 0.0
        self._resting = ""
        self._rest_s = REST_FIRST_S
        self._rest_until = 0.0
        self._probe: str | None = None
        self._probe_until = 0.0

    def __contains__(self, path: str) -> bool:
        return path in self._queued or path in self._waiting

    def __len__(self) -> int:
        return len(self._queued) + len(self._waiting)

    def stat_of(self, path: str) -> FileStat | None:
        """What the file at a path was like when it was taken in, if it was."""
        if path in self._queued:
            return self._queued[path].file.stat
        return self._waiting[path][0].stat if path in self._waiting else None

    def job_ended(self, job_id: UUID, *, touched: bool = False) -> None:
        """A job is final. From any thread.

        Args:
            job_id: Which.
            touched: Its result was discarded, for the file changed meanwhile.
        """
        with self._lock:
            if job_id in self._files_of:
                self._ended.add(job_id)
                if touched:
                    self._touched.add(job_id)

    @property
    def resting(self) -> str:
        """What is missing that every file needs; empty: nothing."""
        return self._resting

    @property
    def is_busy(self) -> bool:
        """Whether a file is on its way that need not wait for a time of day."""
        return bool(self._queued)

    @property
    def has_news(self) -> bool:
        """Whether `step` has something to do."""
        return bool(self._ended or self._waiting)

    def drop(self, path: str) -> None:
        """The file has changed or is gone: what it was is no longer asked for."""
        self._waiting.pop(path, None)
        if path == self._probe:
            self._probe = None
        queued = self._queued.pop(path, None)
        if queued is None:
            return
        needless = [job for job in queued.jobs if self._files_of.get(job) == {path}]
        for job in queued.jobs:
            self._let_go(job, path)
        if needless:
            self._store.request_cancel(needless)

    def _let_go(self, job: UUID, path: str) -> None:
        with self._lock:
            paths = self._files_of.get(job)
            if paths is not None:
                paths.discard(path)
                if not paths:
                    del self._files_of[job]

    # --- in

    def take(self, ready: Sequence[tuple[FoundFile, WatchedFile | None, bool]]) -> None:
        """Take in files that are whole: file, what is known of it, whether to read it anew."""
        if not self._is_open:
            self._let_wait(ready, f"waits for its hours, {self._rule.hours}")
            return
        if self._resting:
            self._let_wait([one for one in ready if one[0].path != self._probe], self._resting)
            ready = [one for one in ready if one[0].path == self._probe]
        if not ready:
            return
        try:
            self._order.preflight()
        except Unavailable as error:
            self._rest(_in_words(error))
            self._let_wait(ready, self._resting)
            return
        by_path = {file.path: (file, known) for file, known, _ in ready}
        problems: list[Problem] = []
        hashed = self._order.hashed(
            [_with_folder(file) for file, _, _ in ready],
            problems,
            anew={file.path for file, _, anew in ready if anew},
        )
        for problem in problems:
            file, known = by_path[problem.path]
            row = self._ledger.put(file, known, FileState.SETTLING, problem.message)
            self._resettle(file, row, True)  # noqa: FBT003 - anew
        own = self._store.find_outputs({root.file_hash for root in hashed})
        wanted: list[Candidate] = []
        for root in hashed:
            outputs = own.get(root.file_hash, [])
            if why := self._why_own(outputs):
                self._ledger.put(*by_path[root.path], FileState.OWN, why, root.file_hash)
                self._tell(News(self._rule.name, root.path, FileState.OWN, why))
            else:
                wanted.append(root)
                file, known = by_path[root.path]
                row = self._ledger.put(file, known, FileState.QUEUED, "", root.file_hash)
                depth = max((output.depth for output in outputs), default=0)
                self._queued[root.path] = Queued(file, row, root, depth)
        if self._probe not in self._queued:
            # What was made here shows nothing.
            self._probe = None
        self._further(wanted)

    def _let_wait(
        self, files: Iterable[tuple[FoundFile, WatchedFile | None, bool]], reason: str
    ) -> None:
        for file, known, anew in files:
            row = self._ledger.put(file, known, FileState.READY, reason)
            self._waiting[file.path] = file, row, anew

    def _rest(self, reason: str, *, cancel: bool = True) -> None:
        """No file is at fault: all of them wait, and what was begun is taken back.

        Args:
            reason: What is missing.
            cancel: What was begun would meet the same; else it is finished and cached.
        """
        self._resting = reason
        self._probe = None
        self._rest_until = time.monotonic() + self._rest_s
        self._rest_s = min(2 * self._rest_s, REST_LONGEST_S)
        for path, queued in list(self._queued.items()):
            if not cancel:
                for job in queued.jobs:
                    self._let_go(job, path)
                queued.jobs.clear()
            self.drop(path)
            self._let_wait([(queued.file, queued.known, False)], reason)

    def _go_on(self) -> None:
        """What was missing is there again: the files that waited for it are taken in."""
        self._resting = ""
        self._rest_s = REST_FIRST_S
        self._probe = None

    def _why_own(self, outputs: Iterable[OwnOutput]) -> str | None:
        for output in outputs:
            if output.watch_id == self._watch_id:
                source = display(Path(url_to_path(output.source)).name)
                return f"made here by {output.action} from {source}"
            if output.depth >= DEEPEST:
                return f"it came through {output.depth} watches already"
        return None

    def _further(self, roots: Sequence[Candidate]) -> None:
        """Submit what is missing, finish what is done."""
        if not roots:
            return
        ended = {root.path: self._queued[root.path].errors for root in roots}
        try:
            standings = self._order.further(roots, ended, most=self._most())
        except Unavailable as error:
            self._rest(_in_words(error))
            return
        submitted = False
        for path, standing in standings.items():
            queued = self._queued[path]
            queued.jobs = {job: key for key, job in standing.jobs.items()}
            queued.is_held = standing.is_held
            if not standing.jobs and not standing.is_held:
                self._finish(queued, standing)
                continue
            with self._lock:
                for job in queued.jobs:
                    self._files_of[job].add(path)
            submitted |= bool(standing.jobs)
            if standing.jobs and not queued.errors and len(standing.jobs) == len(standing.rows):
                self._tell(News(self._rule.name, path, FileState.QUEUED, ""))
        if submitted:
            self._wake()

    # --- on

    def step(self) -> None:
        """Carry on with files whose jobs ended, whose hours came, or whose outputs failed."""
        with self._lock:
            ended, self._ended = self._ended, set()
        self._learn(ended)
        now = time.monotonic()
        if self._queued and now >= self._ask_at:
            self._ask_at = now + ASK_S
            self._learn(self._to_ask(now), heard=False)
        is_open = self._is_open
        if not is_open:
            self._stop_starting(now)
        elif self._most() != 0:
            held = [one.root for one in self._queued.values() if one.is_held and not one.jobs]
            self._further(held[: self._most()])
        if self._resting:
            self._try_one(now)
        elif self._waiting and is_open:
            waiting, self._waiting = list(self._waiting.values()), {}
            for file, known, anew in waiting:
                self._resettle(file, known, anew)

    @property
    def _is_open(self) -> bool:
        return self._rule.is_open(datetime.now().astimezone().time())

    def _most(self) -> int | None:
        """How many more jobs may be submitted now; None: any number."""
        if not self._is_open:
            return 0
        return None if self._rule.jobs is None else max(0, self._rule.jobs - len(self._files_of))

    def _stop_starting(self, now: float) -> None:
        """Outside the hours what runs may end, and what has not begun is taken back."""
        if now < self._stop_at:
            return
        self._stop_at = now + ASK_S
        waiting = self._store.jobs(
            statuses={JobStatus.PENDING}, source=self._order.source, limit=ASK_JOBS
        )
        self._store.request_cancel([job.job_id for job in waiting])
        views = self._store.get_jobs({job for each in self._queued.values() for job in each.jobs})
        running = {job for job, view in views.items() if view.status is JobStatus.PROCESSING}
        ended = {job for job, view in views.items() if view.status.final}
        for path, queued in list(self._queued.items()):
            if not queued.jobs.keys() & (running | ended):
                self.drop(path)
                reason = f"waits for its hours, {self._rule.hours}"
                self._let_wait([(queued.file, queued.known, False)], reason)

    def _try_one(self, now: float) -> None:
        """After a rest one file shows whether what was missing is there."""
        if self._probe is not None and self._probe not in self._queued and now > self._probe_until:
            # It is written again, or gone: another one shows as much.
            self._probe = None
        if now < self._rest_until or self._probe is not None or not self._waiting:
            return
        self._probe_until = now + PROBE_S
        path = next(iter(self._waiting))
        file, known, anew = self._waiting.pop(path)
        self._probe = path
        self._resettle(file, known, anew)

    def _to_ask(self, now: float) -> set[UUID]:
        """Jobs that nothing was heard of; those asked about go to the end of the line."""
        asked: set[UUID] = set()
        for path in list(self._queued):
            queued = self._queued[path]
            if len(asked) >= ASK_JOBS or now - queued.since < ASK_S:
                break
            asked.update(queued.jobs)
            self._queued[path] = self._queued.pop(path)
            queued.since = now
        return asked

    def _learn(self, jobs: Collection[UUID], *, heard: bool = True) -> None:
        if not jobs:
            return
        views = self._store.get_jobs(jobs)
        paths: dict[str, None] = {}
        for job in jobs:
            view = views.get(job)
            if view is not None and not view.status.final:
                continue
            for path in self._files_of.get(job, set()).copy():
                queued = self._queued[path]
                key = queued.jobs.pop(job, None)
                self._let_go(job, path)
                if job in self._touched:
                    self._unsettle(queued)
                    continue
                if view and self._lacks_something(view):
                    # Behind the others: one of those is tried first after the rest.
                    self._queued[path] = self._queued.pop(path)
                    self._rest(f"{view.action}: {view.error}")
                    self._store.delete_jobs([job])
                    return
                if key and view and view.status is JobStatus.FAILED:
                    queued.errors[key] = f"{view.action}: {view.error or 'failed'}"
                elif key and view and view.status is JobStatus.CANCELLED:
                    queued.errors[key] = f"{view.action}: cancelled"
                paths[path] = None
            if heard:
                self._touched.discard(job)
        roots = [self._queued[path].root for path in paths if path in self._queued]
        self._further([root for root in roots if not self._queued[root.path].jobs])

    def _lacks_something(self, view: JobView) -> bool:
        """Whether a job failed for what no file is at fault of."""
        if view.status is not JobStatus.FAILED or self._order.is_optional(view.action or ""):
            return False
        attempts = self._store.attempts_of(view.job_id)
        return bool(attempts) and attempts[-1].outcome is Outcome.UNAVAILABLE

    def _unsettle(self, queued: Queued) -> None:
        self._queued.pop(queued.root.path, None)
        for job in queued.jobs:
            self._let_go(job, queued.root.path)
        row = self._ledger.put(
            queued.file, queued.known, FileState.SETTLING, "it changed while it was processed"
        )
        self._resettle(queued.file, row, True)  # noqa: FBT003 - anew

    # --- out

    def _finish(self, queued: Queued, standing: Standing) -> None:
        """All jobs are final: publish, and do with the file what the rule says."""
        path = queued.root.path
        if not self._is_still(queued):
            self._unsettle(queued)
            return
        try:
            state, reason, is_gone = self._outcome(queued, standing)
        except OSError as error:
            about = display(error.filename) if isinstance(error.filename, str) else path
            reason = f"{about} can't be written: {os.strerror(error.errno or 0)}"
            if error.errno not in _NAME_FAULTS:
                # Behind the others: one of those is tried first after the rest.
                self._queued[path] = self._queued.pop(path)
                self._rest(reason, cancel=False)
                return
            state, is_gone = FileState.FAILED, False
        del self._queued[path]
        if path == self._probe:
            self._go_on()
        told = f"{state}; {reason}" if is_gone else reason
        kept = FileState.GONE if is_gone else state
        self._ledger.put(queued.file, queued.known, kept, told, queued.root.file_hash)
        self._tell(News(self._rule.name, path, state, reason))

    def _is_still(self, queued: Queued) -> bool:
        path = queued.root.path
        try:
            stat = os.stat(path, follow_symlinks=self._rule.follow_links)  # noqa: PTH116
            return FileStat.of(stat) == queued.file.stat and writers_of(path) is not Writers.SOME
        except OSError:
            return False

    def _outcome(self, queued: Queued, standing: Standing) -> tuple[FileState, str, bool]:
        """How it ended, why, and whether the file is no longer there."""
        if standing.errors or not standing.is_done:
            return self._failure(queued, standing)
        source = Path(queued.root.path)
        lacks = "; ".join(standing.notes)
        try:
            written = self._outputs.write(standing, queued.file.folder, queued.depth)
            artifacts = self._outputs.final_artifacts(standing)
            with _moving_to(self._rule.done_folder or source.parent):
                gone = after_success(
                    self._rule,
                    source,
                    queued.file.stat,
                    source_hash=queued.root.file_hash,
                    written=written,
                    artifacts=artifacts,
                    missing=standing.missing,
                )
        except Kept as error:
            return FileState.DONE, "; ".join(filter(None, (lacks, error.message))), False
        except MediahostError as error:
            return FileState.FAILED, error.message, False
        return FileState.DONE, "; ".join(filter(None, (gone, lacks))), gone is not None

    def _failure(self, queued: Queued, standing: Standing) -> tuple[FileState, str, bool]:
        reason = next(iter(standing.errors), "a step gave no result")
        try:
            source = Path(queued.root.path)
            with _moving_to(self._rule.failed_folder or source.parent):
                gone = after_failure(self._rule, source, queued.file.stat, queued.root.file_hash)
        except Kept as error:
            return FileState.FAILED, f"{reason}; {error.message}", False
        return FileState.FAILED, f"{reason}; {gone}" if gone else reason, gone is not None


@contextmanager
def _moving_to(folder: Path) -> Iterator[None]:
    """What happens to a file at its end.

    Raises:
        Kept: It can't be done with this file.
        OSError: The folder is full or gone; it has the folder's path.
    """
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        if error.errno in _PLACE_FAULTS:
            raise OSError(error.errno, reason, str(folder)) from error
        raise Kept(f"it was kept: {reason}") from error


def _with_folder(file: FoundFile) -> FoundFile:
    """The file as the memo of hashes knows it: by its absolute folder."""
    return file._replace(folder=os.path.dirname(file.path))  # noqa: PTH120 - text in


def _in_words(error: Unavailable) -> str:
    return f"{error.message}\n{error.hint}" if error.hint else error.message
