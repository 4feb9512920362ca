"""Every seam in one read: what the host asks of a store, an executor and a clock.

It loads no models: who implements a port need not wait for pydantic.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mediahost.hashing import DEFAULT_ALGORITHM, Algorithm, CacheKey, FileStat

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from mediahost.cached import CachedFile, CachedFolder, CachedFolders, HashedFile, Hit
    from mediahost.model.care import KeptResult, Needs, OldJob
    from mediahost.model.hosts import Heartbeat, HostView
    from mediahost.model.job import (
        AttemptView,
        ClaimedJob,
        Failure,
        JobRequest,
        JobStatus,
        JobView,
        Outcome,
        Token,
    )
    from mediahost.model.kinds import MediaKind
    from mediahost.model.lineage import Making
    from mediahost.model.media import MediaFile
    from mediahost.model.pause import Pause
    from mediahost.model.result import Result
    from mediahost.model.search import Found, Search
    from mediahost.model.watch import FileState


class Clock(Protocol):
    """What time it is."""

    def time_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        ...


# --- the store ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A cached result with its payload and where it came from."""

    hit: Hit
    action: str
    action_version: int
    config: Mapping[str, Any]
    media_url: str
    result: Result
    created_at: float


@dataclass(frozen=True, slots=True)
class Completion:
    """An attempt that gave a result, to be committed with it.

    Attributes:
        job: What was claimed.
        result: The result; the paths of its artifacts are where they will stay.
        result_hash: Hash of the result.
        elapsed_ms: How long it took.
        follow_ups: Jobs that can be done now, submitted in the same transaction.
        media_size: Bytes of the media file; None: nobody looked.
    """

    job: ClaimedJob
    result: Result
    result_hash: str
    elapsed_ms: int
    follow_ups: Sequence[JobRequest] = ()
    media_size: int | None = None


@dataclass(frozen=True, slots=True)
class Setback:
    """An attempt that gave none.

    Attributes:
        job: What was claimed.
        outcome: How it ended.
        failure: Why.
        retry_in_s: Pending again after so many seconds; None: this was the last attempt.
        elapsed_ms: How long it took.
    """

    job: ClaimedJob
    outcome: Outcome
    failure: Failure
    retry_in_s: float | None = None
    elapsed_ms: int = 0


class Ready(NamedTuple):
    """A source that has jobs of an action that can be claimed now."""

    source: str
    action: str


class Store(Protocol):
    """What remembers. Safe to call from several threads; each call is one transaction."""

    @property
    def algorithm(self) -> Algorithm:
        """The hash algorithm that this store was made with."""
        ...

    def close(self) -> None:
        """Let go of files and connections. The store can't be used afterwards."""
        ...

    # file hashes

    def recall_hashes(self, folders: Collection[str]) -> dict[str, dict[str, HashedFile]]:
        """What is remembered of the files right in each of these folders, by folder and name.

        Folders are paths as text, in the form of `path_to_url`; so are names.
        """
        ...

    def recall_cached(
        self, folders: Collection[str], config_hash: str
    ) -> dict[str, dict[str, CachedFile]]:
        """Of the files right in these folders those whose content has a complete analyzer's result.

        As `recall_hashes`, with what `find_hits` gives under this config.
        """
        ...

    def recall_folders(self, folders: Collection[str], recipe_hash: str) -> CachedFolders:
        """Those of these folders that had all results of a recipe, none of which was lost since.

        Whoever finds a folder's listing as it was then knows what `recall_cached` would say.
        """
        ...

    def remember_folders(
        self, recipe_hash: str, as_of: int, folders: Mapping[str, CachedFolder]
    ) -> None:
        """Remember that these folders have all results of a recipe.

        Args:
            recipe_hash: Names the recipe: which results are asked for of which kinds of file.
            as_of: What `recall_folders` gave before anything else was asked about the folders: a
                result that was lost meanwhile makes it void.
            folders: By their paths as text.
        """
        ...

    def recall_hash(self, folder: str, name: str) -> HashedFile | None:
        """What is remembered of one file."""
        ...

    def remember_hashes(self, files: Iterable[tuple[str, str, HashedFile]]) -> None:
        """Remember the hashes of files, each given by folder and name; the newest wins."""
        ...

    # results

    def find_hits(self, keys: Collection[CacheKey]) -> dict[CacheKey, Hit]:
        """The cached results among these keys."""
        ...

    def load_results(self, keys: Collection[CacheKey]) -> dict[CacheKey, StoredResult]:
        """The cached results among these keys, whole."""
        ...

    def results_of(self, file_hash: str) -> list[StoredResult]:
        """All cached results for the content with this hash, the newest first."""
        ...

    def results_at(self, media_url: str) -> list[StoredResult]:
        """All cached results computed from a file at this path, whatever it held, newest first."""
        ...

    def search(self, search: Search) -> list[Found]:
        """What results say, of files that still are what they were last known to be.

        By words: the best match first. Without: time ranges, in the order of their files.
        """
        ...

    def makings_into(self, file_hashes: Collection[str]) -> list[Making]:
        """The makings that one of these contents came out of, the oldest first."""
        ...

    def makings_from(self, file_hashes: Collection[str]) -> list[Making]:
        """The makings that one of these contents went into, the oldest first."""
        ...

    def makings_at(self, media_url: str) -> list[Making]:
        """The makings of, or out of, a file at this path, whatever it held, the oldest first."""
        ...

    # jobs

    def submit(self, requests: Sequence[JobRequest]) -> list[UUID]:
        """Keep jobs, pending.

        A key that some pending or processing job has already gets no second one.

        Returns:
            For each request the job that will answer it, its own or the one that was there.
        """
        ...

    def adopt(self, job_ids: Collection[UUID], source: str) -> None:
        """Make those of these jobs that are pending belong to `source`."""
        ...

    def ready(self, source: str | None = None) -> list[Ready]:
        """Which sources wait for which actions; what is paused or for later is left out."""
        ...

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
        """Take up to `limit` pending jobs that are due, each for `lease_s` seconds.

        The highest priority first, then the oldest; of one source or of all, of some actions or
        of all. What is paused is left out.

        Args:
            host: Who takes them.
            limit: How many at most.
            lease_s: How long the claim holds.
            source: Of this source; None: of any.
            actions: Of these actions; None: of any.
            ahead: Nothing runs them yet. Until `begin` they are pending for people, who can
                cancel, pause and reorder them, and a loss of the host is none of theirs.
        """
        ...

    def begin(self, host: str, tokens: Collection[Token]) -> set[Token]:
        """Note that attempts run which were claimed ahead.

        Returns:
            Those that still are this host's. The others were taken back: stop them.
        """
        ...

    def renew(self, host: str, tokens: Collection[Token], lease_s: float) -> set[Token]:
        """Hold these attempts for `lease_s` seconds from now.

        Returns:
            Those that still are this host's. The others are somebody else's: stop them.
        """
        ...

    def commit(
        self, host: str, completions: Sequence[Completion], setbacks: Sequence[Setback] = ()
    ) -> set[Token]:
        """Write how attempts ended, with results, cache rows and follow-ups, in one transaction.

        Returns:
            Those that were still this host's and are written. Of the others nothing is.
        """
        ...

    def release(self, host: str, tokens: Collection[Token], after_s: float = 0.0) -> None:
        """Give these attempts back untried: pending again after so long, nothing counted."""
        ...

    def reap(self, is_gone: Callable[[str], bool]) -> list[UUID]:
        """Make jobs pending again whose lease is over, or whose host `is_gone`.

        Those that somebody asked to cancel are cancelled instead, here as in `release`. A job
        that was lost `MOST_LOSSES` times while it ran has failed.

        Returns:
            All of them, in no order.
        """
        ...

    def report_progress(self, host: str, progress: Mapping[Token, tuple[float, str]]) -> None:
        """Note how far attempts are: fraction and message."""
        ...

    def request_cancel(self, job_ids: Collection[UUID]) -> dict[UUID, JobStatus]:
        """Cancel jobs: pending ones at once, processing ones by asking their host.

        Returns:
            The status of each that exists, after the call.
        """
        ...

    def cancel_requests(self, host: str) -> set[Token]:
        """This host's attempts that somebody asked to cancel."""
        ...

    def change_priority(
        self, job_ids: Collection[UUID], priority: int, *, relative: bool = False
    ) -> dict[UUID, int]:
        """Have pending jobs go earlier or later among those of their source.

        Jobs that are processing or have ended stay as they are.

        Args:
            job_ids: The jobs.
            priority: Higher goes first. What comes of it is kept within the limits of a priority.
            relative: It is added to what each of them has.

        Returns:
            The priority of each that is pending, after the call.
        """
        ...

    def retry(self, job_ids: Collection[UUID]) -> list[UUID]:
        """Make failed and cancelled jobs pending again, their failures forgotten.

        Returns:
            Those that were. One whose key another pending or processing job has is not.

        Raises:
            IllegalTransition: One of them is neither failed nor cancelled.
        """
        ...

    def delete_jobs(self, job_ids: Collection[UUID]) -> int:
        """Delete jobs that are not processing; their cached results stay.

        Returns:
            How many there were.

        Raises:
            IllegalTransition: One of them is processing.
        """
        ...

    def jobs(
        self,
        *,
        statuses: Collection[JobStatus] = (),
        source: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[JobView]:
        """Jobs, the newest first. No status given: any."""
        ...

    def get_jobs(self, job_ids: Collection[UUID]) -> dict[UUID, JobView]:
        """Those of these jobs that exist."""
        ...

    def job_numbered(self, number: int) -> JobView | None:
        """The job with this number, or None."""
        ...

    def count_jobs(self, source: str | None = None) -> dict[JobStatus, int]:
        """How many jobs there are of each status, of one source or of all."""
        ...

    def attempts_of(self, job_id: UUID) -> list[AttemptView]:
        """The attempts at a job that gave no result, the first one first."""
        ...

    # what hosts and people tell each other

    def beat(self, heartbeat: Heartbeat) -> None:
        """Tell the others that this host lives, and what it does."""
        ...

    def hosts(self) -> list[HostView]:
        """The hosts that were heard of and have not left, the longest known first."""
        ...

    def forget_hosts(self, names: Collection[str]) -> None:
        """These hosts have left or are gone."""
        ...

    def proof(self, host: str) -> Proof | None:
        """Hold a lock in the database that ends with this process, to prove that a host lives.

        None: the database has no such locks.
        """
        ...

    def proven(self, names: Collection[str]) -> set[str]:
        """Those of these hosts that hold such a lock."""
        ...

    def pause(self, pauses: Collection[Pause]) -> None:
        """Have no host claim these jobs; those under way go on."""
        ...

    def resume(self, pauses: Collection[Pause]) -> set[Pause]:
        """Have these jobs claimed again; returns those that were paused."""
        ...

    def pauses(self) -> list[Pause]:
        """What is paused."""
        ...

    def count_foreign(self) -> dict[JobStatus, int]:
        """How many jobs of other programs there are, by status: those without an action.

        They are listed, and never claimed or waited for.
        """
        ...

    def count_waiting(
        self,
        source: str | None = None,
        without: Collection[str] = (),
        most: int | None = None,
    ) -> int:
        """How many jobs are processing, or pending and not paused.

        Args:
            source: Of this source only.
            without: Actions whose pending jobs are not counted.
            most: Count no further.
        """
        ...

    def has_active(self, source: str) -> bool:
        """Whether any job of a source is pending or processing."""
        ...


class CaredStore(Protocol):
    """A store for those who check it and clear it up."""

    def kept_results(self) -> list[KeptResult]:
        """All cached results that have files, the oldest first."""
        ...

    def needs(self) -> Needs:
        """What pending and processing jobs need."""
        ...

    def attempts(self, job_ids: Collection[UUID]) -> dict[UUID, tuple[int, JobStatus]]:
        """The latest attempt and the status of those of these jobs that exist."""
        ...

    def old_jobs(self, age_s: float) -> list[OldJob]:
        """Jobs that ended more than `age_s` seconds ago."""
        ...

    def drop_results(self, results: Collection[KeptResult]) -> set[int]:
        """Forget these results, unless a job has come meanwhile that needs their input.

        Returns:
            The ids of those that are forgotten: nobody will ask for their files.
        """
        ...

    def drop_jobs(self, job_ids: Collection[UUID]) -> int:
        """Delete those of these jobs that have ended; returns how many there were."""
        ...

    def memos(self) -> Iterator[tuple[str, str, HashedFile]]:
        """All remembered hashes of files, by folder and name, as text."""
        ...

    def faults(self) -> list[str]:
        """What is wrong with the database in itself: nothing, in a sound one."""
        ...


class Proof(Protocol):
    """A lock in a database that ends with this process."""

    def renew(self) -> None:
        """Take the lock again if the database has lost it, as by a restart of the server."""
        ...

    def close(self) -> None:
        """Let go of the lock."""
        ...


class Wakeup(Protocol):
    """Waits for others to write to a store. For one thread; any may close it."""

    def wait(self, timeout_s: float) -> bool:
        """Wait until somebody may have written since the last call, at most so long.

        Returns:
            Whether it is worth to look. A closed one returns at once.
        """
        ...

    def close(self) -> None:
        """Let go of its connection; who waits returns."""
        ...


# --- remote files ------------------------------------------------------------------------------


class RemoteFile(NamedTuple):
    """A media file that was fetched.

    Attributes:
        url: Where it came from.
        path: Where its copy is.
        kind: video, audio, image or document.
        file_hash: Hash of the copy.
    """

    url: str
    path: Path
    kind: MediaKind
    file_hash: str


OnBytes = Callable[[int, int | None], None]
"""Learns how many bytes of a file have come, of how many if that is known."""


class RemoteFiles(Protocol):
    """Fetches media files by URL and keeps copies. Safe to call from several threads."""

    def files(self, url: str) -> list[str]:
        """URLs of the files below it if it is a folder that can be listed, else its own.

        Raises:
            UsageError: The settings don't allow it.
            MediahostError: It can't be listed.
        """
        ...

    def fetch(self, url: str, algorithm: Algorithm, on_bytes: OnBytes = ...) -> RemoteFile:
        """The file as it is now; one that has not changed is not fetched again.

        Args:
            url: Where it is.
            algorithm: What it is hashed with.
            on_bytes: Told a few times a second, in the caller's thread.

        Raises:
            UsageError: The settings don't allow it.
            InvalidMedia: It isn't there, is too large, or is no media file.
            TransientError: The server or the network failed.
        """
        ...

    def copy_of(self, url: str, algorithm: Algorithm) -> RemoteFile | None:
        """The copy that is here, if there is one; nobody is asked whether it is the newest."""
        ...

    def hold(self, file: RemoteFile) -> Callable[[], None] | None:
        """Keep a copy from being removed to make room.

        Returns:
            What lets go of it; None: it is gone already.
        """
        ...


# --- watches -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WatchRow:
    """A watch as the store knows it.

    Attributes:
        id: Its number.
        name: What it is called.
        path: The folder, in the form of `path_to_url`.
        rule: Its rules, as plain values.
        origin: Where it was defined: settings, command, or once (named at the start alone).
        paused: A person said so.
        scan_asked: A person wants a full look at it.
        accepted: A person said that the files that are gone may be gone.
        host: The host that watches it, or did last.
        seen_at: When that host last said so, in Unix seconds.
        health: How it is, as plain values: `mediahost.watch.health`.
    """

    id: int
    name: str
    path: str
    rule: Mapping[str, Any]
    origin: str
    paused: bool
    scan_asked: bool
    accepted: bool
    host: str | None
    seen_at: float | None
    health: Mapping[str, Any]


class WatchedFile(NamedTuple):
    """A file in a watched folder.

    Attributes:
        folder: Its folder below the watched one, empty for that itself; as `path_to_url` has it.
        name: Its name, in the same form.
        stat: What it was like when it was last looked at.
        state: Where it is on its way.
        reason: Why it is there, for a person.
        generation: Counted up with each change of its content that was seen.
        file_hash: Hash of its content, once that was read.
        first_seen: Unix seconds.
        changed_at: Since when it is in this state, in Unix seconds.
    """

    folder: str
    name: str
    stat: FileStat
    state: FileState
    reason: str
    generation: int
    file_hash: str | None
    first_seen: float
    changed_at: float


class OwnOutput(NamedTuple):
    """What a watch wrote, by content.

    `source` is the file that it was made of, in the form of `path_to_url`; `depth` counts how many
    watches a file went through: 1 for what was made of a person's file.
    """

    watch_id: int
    file_hash: str
    size: int
    source: str
    action: str
    depth: int


class WatchStore(Store, Protocol):
    """A store that remembers watches too."""

    def watches(self) -> list[WatchRow]:
        """All watches, by name."""
        ...

    def keep_watch(self, name: str, **values: Any) -> None:
        """Make a watch, or change these values of it: fields of `WatchRow`."""
        ...

    def change_watch(self, name: str, **values: Any) -> bool:
        """Change these values of a watch; whether there is one of that name."""
        ...

    def take_watch(self, name: str, host: str, instead_of: str | None) -> bool:
        """Make a watch `host`'s, if `instead_of` has it now; whether it did."""
        ...

    def release_watch(self, name: str, host: str) -> None:
        """Make a watch nobody's, if it is `host`'s."""
        ...

    def delete_watch(self, name: str) -> bool:
        """Forget a watch and its files, though not their results; whether there was one."""
        ...

    def watched_in(
        self, watch_id: int, folders: Collection[str]
    ) -> dict[str, dict[str, WatchedFile]]:
        """What is known of the files right in each of these folders, by folder and name."""
        ...

    def watched_stats(
        self, watch_id: int, folders: Collection[str]
    ) -> dict[str, dict[str, tuple[tuple[int, ...], str]]]:
        """By folder and name: the stat, as `FileStat` has it, and the state. Made for speed."""
        ...

    def watched_at(
        self, watch_id: int, places: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], WatchedFile]:
        """What is known of the files at these places: folder and name."""
        ...

    def watched_by_inode(self, watch_id: int, inodes: Collection[int]) -> list[WatchedFile]:
        """The files that have one of these inode numbers."""
        ...

    def watched_by_state(
        self, watch_id: int, states: Collection[FileState], limit: int = 1 << 31
    ) -> list[WatchedFile]:
        """The files in one of these states, those that changed last first."""
        ...

    def watched_folders(self, watch_id: int) -> set[str]:
        """The folders in which files are known that are not gone."""
        ...

    def count_watched(self, watch_id: int) -> dict[FileState, int]:
        """How many files are in which state."""
        ...

    def keep_watched(self, watch_id: int, files: Iterable[WatchedFile]) -> None:
        """Write what is known of files, in one transaction."""
        ...

    def reopen_watched(self, watch_id: int, states: Collection[FileState], reason: str) -> int:
        """Have files in one of these states settle again; how many there were."""
        ...

    def record_outputs(self, outputs: Sequence[OwnOutput]) -> None:
        """Remember what is about to be written, before it is."""
        ...

    def find_outputs(self, hashes: Collection[str]) -> dict[str, list[OwnOutput]]:
        """What watches wrote with these contents."""
        ...


# --- the executor ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AttemptSpec:
    """All that a worker needs to run one attempt; plain values cross to it.

    Attributes:
        token: Names the attempt.
        action: Name of the action.
        config: Its field values.
        media: The media file.
        inputs: Results of the steps that it follows, as JSON, by step name.
        workdir: A folder of its own, the only place to write; made when the action asks for it.
        log_path: File that its output and log lines are appended to.
        timeout_s: Killed after so many seconds; None: never.
        threads: How many threads a decoder may use.
        algorithm: What artifacts are hashed with.
        pool: The named slots that it takes one of.
        shared: It may run in one process with others that may, at the same time.
        variables: Variables of the environment that its action may see, by name or pattern; their
            values are those of where its workers are started.
    """

    token: Token
    action: str
    config: Mapping[str, Any]
    media: MediaFile
    workdir: str
    log_path: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float | None = None
    threads: int = 1
    algorithm: Algorithm = DEFAULT_ALGORITHM
    pool: str = "cpu"
    shared: bool = False
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Started:
    """The attempt runs."""

    token: Token


@dataclass(frozen=True, slots=True)
class Progress:
    """The attempt is so far: `fraction` from 0 to 1."""

    token: Token
    fraction: float
    message: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The attempt is over: exactly one for each submit.

    `result` and its hash are there when the outcome is ok, `failure` when it is not. Artifacts
    have their size and hash, lie in the attempt's workdir, and are on the disk (fsync).
    """

    token: Token
    outcome: Outcome
    result: Result | None = None
    failure: Failure | None = None
    elapsed_ms: int = 0
    result_hash: str | None = None


ExecutorEvent = Started | Progress | Ended


class Executor(Protocol):
    """Where attempts run."""

    def start(self, sink: Callable[[ExecutorEvent], None]) -> None:
        """Get ready. Events go to `sink`, from any thread."""
        ...

    def capacity(self) -> Mapping[str, int]:
        """How many more attempts each pool takes now; a pool that is not named shares cpu's."""
        ...

    def warm(self) -> frozenset[tuple[str, str]]:
        """What idle workers keep loaded: (environment, resource)."""
        ...

    def submit(self, *attempts: AttemptSpec) -> None:
        """Run attempts as soon as may be. Never blocks, never raises for a plugin's fault."""
        ...

    def cancel(self, token: Token, grace_s: float | None = None) -> None:
        """Ask an attempt to stop; after `grace_s` seconds end it. Unknown tokens are ignored."""
        ...

    def alive(self) -> set[Token]:
        """The attempts that were submitted and have not ended: what the host may renew."""
        ...

    def stop(self, *, drain: bool, grace_s: float) -> None:
        """End. Drain: let attempts finish first; else each gets `grace_s` seconds."""
        ...


class ExecutorFactory(Protocol):
    """Makes an executor by the host's settings; more keywords may come, so take `**_`."""

    def __call__(
        self,
        *,
        workers: int,
        max_rss_bytes: int | None,
        pools: Mapping[str, int],
        scheduler: str | None,
        data_dir: Path,
        options: Mapping[str, Any],
        variables: Sequence[str],
    ) -> Executor:
        """An executor.

        Args:
            workers: How many workers it has on this machine.
            max_rss_bytes: Memory after which a worker is ended.
            pools: Slots of the pools besides cpu, which has the workers.
            scheduler: Address of what spreads attempts over machines.
            data_dir: The host's data folder.
            options: The setting `executor_options`.
            variables: The setting `worker_variables`.
        """
        ...
