"""What the care of a store is about: what is kept, what is needed, what was found."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from mediahost.model.job import JobStatus, Token


class KeptFile(NamedTuple):
    """An artifact of a cached result. `size` is in bytes, or None where nobody has noted it."""

    path: str
    file_hash: str
    size: int | None


class KeptResult(NamedTuple):
    """A cached result that has files.

    Attributes:
        id: Its row.
        job_id: The job that made it.
        input_path: The media file that it was made of, then; or that file's URL.
        input_hash: The content of that.
        age_s: Seconds since it was made.
        files: Its artifacts.
    """

    id: int
    job_id: str
    input_path: str
    input_hash: str
    age_s: float
    files: tuple[KeptFile, ...]


class OldJob(NamedTuple):
    """A job that ended long ago."""

    job_id: UUID
    number: int
    status: JobStatus
    file_hash: str | None


@dataclass(frozen=True, slots=True)
class Needs:
    """What pending and processing jobs need.

    Attributes:
        hashes: Contents that they work on or whose results they follow.
        paths: Files that they work on.
        live: Their latest attempts.
    """

    hashes: AbstractSet[str]
    paths: AbstractSet[str]
    live: AbstractSet[Token]
