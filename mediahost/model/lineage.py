"""Lineage: which file was made of which, by which action and config."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Making:
    """One time that files were made of a file.

    Attributes:
        job_id: The job that made them; it may be deleted by now.
        action: Name of the action.
        action_version: Its version, or None where only the making was saved.
        config: Its field values.
        media_url: The file that they were made of.
        file_hash: Hash of that file's content.
        made: Path and hash of each file that was made.
        created_at: Unix seconds.
    """

    job_id: str
    action: str
    action_version: int | None
    config: Mapping[str, Any]
    media_url: str
    file_hash: str
    made: tuple[tuple[str, str], ...]
    created_at: float

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "job_id": self.job_id,
            "action": self.action,
            "action_version": self.action_version,
            "config": dict(self.config),
            "media": self.media_url,
            "file_hash": self.file_hash,
            "made": [{"path": path, "file_hash": file_hash} for path, file_hash in self.made],
        }
