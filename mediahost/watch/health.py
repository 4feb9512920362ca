"""Health: how a watch is, for whoever asks the store."""

from dataclasses import asdict, dataclass, field
from typing import Any

from mediahost.model.watch import WatchState


@dataclass
class Health:
    """How a watch is.

    Attributes:
        state: In a word.
        reason: Why, for a person; empty where all is well.
        file_system: Type of the file system.
        folders: How many folders there are to watch.
        folders_watched: How many of them give events; the others are polled.
        files: How many wanted files the last full look found.
        settling: How many files are not whole yet.
        full: Files that are whole wait, for as many jobs wait as the setting `max_pending` allows.
        overflows: How often the kernel dropped events.
        limit_hits: How often the kernel refused to watch a folder.
        missed: Files that a full look found and no event had told of.
        scans: How many full looks there were.
        scan_ms: How long the last one took, in milliseconds.
        scanned_at: When it ended, in Unix seconds.
        scan_reason: Why it was done.
        problems: Folders that can't be read, and why; the first few.
        recipe: Fingerprint of what was done to its files.
        device: st_dev of the folder.
        marked: The marker file could be written.
        pid: The process that watches.
    """

    state: WatchState = WatchState.STARTING
    reason: str = ""
    file_system: str = ""
    folders: int = 0
    folders_watched: int = 0
    files: int = 0
    settling: int = 0
    full: bool = False
    overflows: int = 0
    limit_hits: int = 0
    missed: int = 0
    scans: int = 0
    scan_ms: int = 0
    scanned_at: float | None = None
    scan_reason: str = ""
    problems: list[str] = field(default_factory=list)
    recipe: str = ""
    device: int | None = None
    marked: bool = False
    pid: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "state": str(self.state)}
