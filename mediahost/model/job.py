"""Jobs: durable requests, each one action on one media file."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from mediahost.model.kept import KeptEnum
from mediahost.model.media import MediaFile

# What a priority may be: room enough for any order, and few enough digits to be read.
LOWEST_PRIORITY, HIGHEST_PRIORITY = -1000, 1000

# What a job without an action does.
ANOTHER_PROGRAMS = "another program's"

_RAND_A_MAX = 0xFFF
_last_millisecond_and_count = (0, 0)


def new_job_id() -> UUID:
    """A UUID of version 7 (RFC 9562, section 5.7): ids made later sort later, within a process too.

    The 12 bits of `rand_a` count within a millisecond (section 6.2, method 1).
    """
    return _id_of(os.urandom(8))


def new_job_ids(count: int) -> list[UUID]:
    """So many of them, in half the time: the system is asked for random bits once."""
    chance = os.urandom(8 * count)
    return [_id_of(chance[at : at + 8]) for at in range(0, 8 * count, 8)]


def _id_of(chance: bytes) -> UUID:
    global _last_millisecond_and_count  # noqa: PLW0603 - the monotonic counter of the RFC
    last, count = _last_millisecond_and_count
    now = max(time.time_ns() // 1_000_000, last)
    count = count + 1 if now == last else 0
    if count > _RAND_A_MAX:
        now, count = now + 1, 0
    _last_millisecond_and_count = (now, count)
    random = int.from_bytes(chance) & ((1 << 62) - 1)
    return UUID(int=(now << 80) | (0x7 << 76) | (count << 64) | (0b10 << 62) | random)


def limited_priority(wanted: int) -> int:
    """The nearest priority that a job may have."""
    return max(LOWEST_PRIORITY, min(HIGHEST_PRIORITY, wanted))


class JobStatus(KeptEnum):
    """Where a job is in its life."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether nothing more happens to the job by itself."""
        return self in FINAL


FINAL = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})

# pending -> processing -> completed | failed | cancelled; processing -> pending when a host is
# lost or an attempt is worth repeating; failed or cancelled -> pending when a person retries.
TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.PENDING: frozenset({JobStatus.PROCESSING, JobStatus.CANCELLED}),
    JobStatus.PROCESSING: FINAL | {JobStatus.PENDING},
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset({JobStatus.PENDING}),
    JobStatus.CANCELLED: frozenset({JobStatus.PENDING}),
}


# Losing what ran it is no fault of the job, but a job that loses every host must end too.
MOST_LOSSES = 5
# Lost so often, it may be what ends its hosts.
LOSSES_TO_RUN_ALONE = 2
TOO_MANY_LOSSES = (
    f"Its host went away {MOST_LOSSES} times while it ran\n"
    "It may be what ends the host, such as by taking all memory. "
    "Retry it with fewer workers, or with max_memory_mb set."
)


class Outcome(KeptEnum):
    """How an attempt ended.

    `lost` is no failure of the job: what ran it went away. `changed` is a failure of its
    circumstances: the media file is no longer the one that was asked about. `unavailable` is no
    failure of the file: something that the action needs is missing.
    """

    OK = "ok"
    ERROR = "error"
    CRASHED = "crashed"
    OOM = "oom"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    LOST = "lost"
    CHANGED = "changed"
    UNAVAILABLE = "unavailable"


class Token(NamedTuple):
    """The fence: one attempt at one job. A later attempt makes every earlier token void."""

    job_id: UUID
    attempt: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt did not give a result.

    Attributes:
        message: One sentence for the user.
        hint: What to do about it, or None.
        transient: Another attempt may well succeed.
        traceback: For the log, never for the summary.
    """

    message: str
    hint: str | None = None
    transient: bool = False
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What is asked of the store: one action on one media file, under its key.

    Attributes:
        action, action_version, config: The action, and all its field values.
        media: The media file, hashed.
        config_hash: With `media.file_hash` the cache key.
        inputs: For each step it follows, the key of the result that it gets:
            (file_hash, config_hash).
        pipeline, step: Name of the pipeline that wants it, if any, and of the step in it.
        root_url: The file that the pipeline was started on; `media` may be made from it.
        source: Who asked: a run, a watch folder. Sources share the workers.
        priority: Higher goes first within a source.
        job_id: Made here, so that the asker knows it before the store does.
    """

    action: str
    action_version: int
    config: Mapping[str, Any]
    media: MediaFile
    config_hash: str
    inputs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    pipeline: str | None = None
    step: str | None = None
    root_url: str | None = None
    source: str = "user"
    priority: int = 0
    job_id: UUID = field(default_factory=new_job_id)


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job in the hands of a host: the request, and the token that fences its commit.

    Attributes:
        failures: How many attempts have failed, since a person last retried it.
        losses: How many were lost with what ran them, since the job last ended.
    """

    request: JobRequest
    token: Token
    failures: int
    losses: int = 0

    @property
    def is_suspect(self) -> bool:
        """Whether an attempt ended that is counted as no failure: was it lost, or given back?

        It may have been this job's fault.
        """
        return self.token.attempt - 1 > self.failures


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as a person looks at it. Times are timezone-aware UTC.

    A job without an action is another program's, which keeps its own jobs in the same tables: it
    has no key and no config, and no host of ours runs it.

    Attributes:
        number: Short name for people, counted up from 1 in each store.
        parameters: Of ours: the config, and the keys of inputs. Of another program's: anything.
        error: Why it failed: one sentence, and the hint on a second line where there is one. Of a
            completed job what its result lacks, if anything.
        progress: 0 to 1, or None.
    """

    job_id: UUID
    number: int
    status: JobStatus
    action: str | None
    media_url: str
    file_hash: str | None
    config_hash: str | None
    parameters: Mapping[str, Any]
    attempt: int
    failures: int
    source: str
    priority: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    processing_time_ms: int | None
    error: str | None
    result: Mapping[str, Any] | None
    host: str | None
    cancel_requested: bool
    cached: bool
    progress: float | None = None
    progress_message: str = ""

    @property
    def key(self) -> tuple[str, str] | None:
        """The hashes that its result is kept under: of file and config. None: it has no key."""
        if self.file_hash is None or self.config_hash is None:
            return None
        return self.file_hash, self.config_hash

    @property
    def config(self) -> Mapping[str, Any]:
        """The action's field values."""
        config = self.parameters.get("config")
        return config if isinstance(config, Mapping) else {}

    @property
    def action_name(self) -> str:
        """The action, for a person."""
        return self.action or ANOTHER_PROGRAMS


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt that gave no result, as a person looks at it.

    Attributes:
        attempt: Its number.
        outcome: How it ended.
        host: Who ran it.
        error: Why: one sentence, and the hint on a second line where there is one.
        traceback: Where in the code; empty if that is not known.
        ended_at: When, in UTC.
        elapsed_ms: How long it took.
        retry_in_s: The job was tried again after so many seconds; None: not by itself.
    """

    attempt: int
    outcome: Outcome
    host: str
    error: str
    traceback: str
    ended_at: datetime
    elapsed_ms: int
    retry_in_s: float | None
