"""Events: facts about jobs, in the past tense."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID


class EventKind(StrEnum):
    """What happened to a job."""

    SUBMITTED = "submitted"
    STARTED = "started"
    PROGRESSED = "progressed"
    COMPLETED = "completed"
    CACHED = "cached"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RETRIED = "retried"


@dataclass(frozen=True, slots=True)
class Event:
    """A fact about one job.

    Attributes:
        kind: What happened.
        action: Name of the action.
        media_url: Path or URL of the media file.
        job_id: The job, or None where a cached result made a job needless.
        fraction: How far the job is, 0 to 1, or None where that can't be said.
        message: What the action says it is doing, or why it failed.
        details: Anything more, as plain values.
    """

    kind: EventKind
    action: str
    media_url: str
    job_id: UUID | None = None
    fraction: float | None = None
    message: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "kind": str(self.kind), "job_id": self.job_id and str(self.job_id)}
