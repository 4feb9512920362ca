"""Jobs as they change, a line each: for screen readers, pipes and logs."""

import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from mediahost.cli.output import place, seconds
from mediahost.model.changes import Changes
from mediahost.model.job import JobStatus
from mediahost.model.job_filter import JobFilter
from mediahost.model.paths import display

if TYPE_CHECKING:
    from mediahost.store import SqlStore
    from mediahost.store.browse import JobLine

WAIT_S = 3600.0
# Progress is told in steps: a voice that reads it can't keep up with each report.
STEPS = 10


def watch(store: "SqlStore", wanted: JobFilter, changes: Changes, *, as_json: bool) -> None:
    """Print each change since the last ones of a job that the filter lets through.

    It returns when it is interrupted.
    """
    watcher = _Watcher(store, wanted, as_json=as_json)
    try:
        with closing(store.wakeup()) as wakeup:
            while True:
                changes = store.changes(changes.mark)
                watcher.tell(changes)
                wakeup.wait(WAIT_S)
    except KeyboardInterrupt:
        return


class _Watcher:
    """Knows what it has told."""

    def __init__(self, store: "SqlStore", wanted: JobFilter, *, as_json: bool) -> None:
        self._browser = store.browse()
        self._wanted = wanted
        self._as_json = as_json
        self._told: set[int] = set()
        self._steps: dict[int, int] = {}

    def tell(self, changes: Changes) -> None:
        """Print what changed."""
        if changes.resync:
            self._say({"resync": True}, "Much has changed at once: see mediahost jobs list.")
        moved = self._moved(changes.progress)
        numbers = {*changes.changed, *changes.added, *moved}
        look = self._browser.look(sorted(numbers), self._wanted, 0, 0)
        for line in sorted(look.lines, key=lambda line: line.number):
            if line.matches or line.number in self._told:
                self._told.add(line.number)
                self._print(as_line(line, as_json=self._as_json))
        for number in changes.deleted:
            if number in self._told or not self._wanted.terms:
                self._say({"number": number, "status": "deleted"}, f"Job {number}: deleted.")

    def _moved(self, progress: Mapping[int, tuple[float, str]]) -> Iterable[int]:
        steps = {number: int(done * STEPS) for number, (done, _) in progress.items()}
        moved = [number for number, step in steps.items() if self._steps.get(number) != step]
        self._steps = steps
        return moved

    def _say(self, values: Mapping[str, object], text: str) -> None:
        self._print(json.dumps(values) if self._as_json else text)

    def _print(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def as_line(line: "JobLine", *, as_json: bool = False) -> str:
    """A job as a sentence in words alone, or as JSON of one line."""
    if as_json:
        return json.dumps(_to_json(line))
    return f"Job {line.number}, {display(line.action)}, {place(line.media_url)}: {_state(line)}."


def _state(line: "JobLine") -> str:
    if line.status is JobStatus.PROCESSING:
        return _under_way(line)
    if line.status is JobStatus.FAILED:
        return f"failed: {display((line.error or '').partition(chr(10))[0])}".rstrip(": .")
    if line.status is JobStatus.COMPLETED:
        return _completed(line)
    if line.status is JobStatus.PENDING and line.priority:
        return f"pending, priority {line.priority}"
    return str(line.status)


def _completed(line: "JobLine") -> str:
    if line.error:
        return f"completed, incomplete: {display(line.error)}"
    if line.cached:
        return "completed, cached"
    took = line.processing_time_ms
    return "completed" if took is None else f"completed in {seconds(took)}"


def _under_way(line: "JobLine") -> str:
    if line.cancel_requested:
        return "being cancelled"
    done = "" if line.fraction is None else f", {round(line.fraction * 100)} percent"
    return f"processing{done}{f', {display(line.message)}' if line.message else ''}"


def _to_json(line: "JobLine") -> dict[str, object]:
    return {
        "number": line.number,
        "job_id": str(line.job_id),
        "status": str(line.status),
        "action": line.action,
        "media_url": line.media_url,
        "attempt": line.attempt,
        "priority": line.priority,
        "error": line.error,
        "cached": line.cached,
        "progress": line.fraction,
        "progress_message": line.message,
    }
