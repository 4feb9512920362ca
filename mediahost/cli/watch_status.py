"""What `mediahost watch status` shows."""

import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mediahost.cli.output import counted, paragraph, seconds
from mediahost.model.job import JobStatus
from mediahost.model.paths import display, url_to_path
from mediahost.model.watch import FileState

if TYPE_CHECKING:
    from mediahost.host.roster import Roster
    from mediahost.ports import WatchedFile, WatchRow, WatchStore

MOST_FILES = 10
MS_SHOWN = 1000
SHOWN = (FileState.SETTLING, FileState.READY, FileState.QUEUED, FileState.FAILED)


@dataclass(frozen=True)
class Status:
    """How a watch is.

    Attributes:
        row: The watch.
        is_running: Whether some process watches it now.
        counts: How many files are in which state.
        jobs: How many jobs of it run now.
        files: Those that a person may ask about, the newest of each state.
    """

    row: "WatchRow"
    is_running: bool
    counts: dict[FileState, int]
    jobs: int
    files: "dict[FileState, list[WatchedFile]]"

    @property
    def state(self) -> str:
        """How it is, in a word."""
        if self.row.paused:
            return "paused"
        return str(self.row.health.get("state", "")) if self.is_running else "not running"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.row.name,
            "path": self.row.path,
            "state": self.state,
            "running": self.is_running,
            "counts": {str(state): self.counts.get(state, 0) for state in FileState},
            "jobs_running": self.jobs,
            "health": dict(self.row.health),
            "files": {
                str(state): [
                    {"folder": file.folder, "name": file.name, "reason": file.reason}
                    for file in files
                ]
                for state, files in self.files.items()
            },
        }


def statuses(store: "WatchStore", roster: "Roster", names: Collection[str]) -> list[Status]:
    """How these watches are."""
    return [
        Status(
            row,
            row.host is not None and not roster.is_gone(row.host),
            store.count_watched(row.id),
            store.count_jobs(f"watch:{row.name}")[JobStatus.PROCESSING],
            {state: store.watched_by_state(row.id, [state], MOST_FILES) for state in SHOWN},
        )
        for row in store.watches()
        if row.name in names
    ]


def print_status(found: Sequence[Status]) -> None:
    """Print it for a person."""
    sys.stdout.write("\n\n".join("\n".join(_lines(one)) for one in found) + "\n")


def _lines(one: Status) -> list[str]:
    health = one.row.health
    reason = health.get("reason", "")
    lines = [
        f"{display(one.row.name)}: {one.state}{f' - {paragraph(reason)}' if reason else ''}",
        f"  {display(url_to_path(one.row.path))}  {_numbers(one)}",
    ]
    if health.get("scans"):
        ago = seconds(max(0.0, time.time() - (health.get("scanned_at") or 0)) * 1000)
        lines.append(
            f"  {health['folders_watched']:,} of {health['folders']:,} folders watched; "
            f"looked at everything {ago} ago, which took {_duration(health['scan_ms'])}"
        )
    if health.get("full"):
        lines.append("  files wait: as many jobs are pending as the setting max_pending allows")
    if health.get("overflows") or health.get("limit_hits"):
        lines.append(
            f"  events were lost {_times(health['overflows'])}, folders refused "
            f"{_times(health['limit_hits'])}; a look at everything found what they did not tell"
        )
    lines += [f"  can't look into {paragraph(problem)}" for problem in health.get("problems", ())]
    for state, files in one.files.items():
        lines += [_file_line(state, file) for file in files]
        more = one.counts.get(state, 0) - len(files)
        if more > 0:
            lines.append(f"    ... and {more:,} more {state}")
    return lines


def _numbers(one: Status) -> str:
    shown = [
        f"{number:,} {state}"
        for state in FileState
        if (number := one.counts.get(state, 0)) and state is not FileState.GONE
    ]
    if one.jobs:
        shown.append(f"{counted(one.jobs, 'job')} running")
    return ", ".join(shown) or "no files yet"


def _duration(ms: int) -> str:
    return f"{ms} ms" if ms < MS_SHOWN else seconds(ms)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _file_line(state: FileState, file: "WatchedFile") -> str:
    folder, name = url_to_path(file.folder), url_to_path(file.name)
    path = display(f"{folder}/{name}" if folder else name)
    reason = f": {display(file.reason.partition(chr(10))[0])}" if file.reason else ""
    return f"    {state:<9} {path}{reason}"
