"""What one sees while jobs run: bars on a terminal, plain lines elsewhere."""

import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from mediahost.cli.output import seconds
from mediahost.model.event import Event, EventKind
from mediahost.model.media import display, url_to_path

if TYPE_CHECKING:
    from rich.progress import TaskID

ENDED = {EventKind.COMPLETED, EventKind.FAILED, EventKind.CANCELLED}


class Watcher:
    """Listens to events and shows them. This one shows nothing; it only counts failures."""

    def __init__(self) -> None:
        self.failed = 0

    @classmethod
    def on_stderr(cls, *, quiet: bool = False) -> "Watcher":
        """One that fits what standard error is."""
        if quiet:
            return Watcher()
        if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            return Bars()
        return Lines(sys.stderr)

    def listen(self, event: Event) -> None:
        """Show an event."""
        self.failed += event.kind is EventKind.FAILED

    def hashed(self, done: int, total: int) -> None:
        """Show how many files that had to be read are."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        pass


class Lines(Watcher):
    """A plain line for each job that ended."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def listen(self, event: Event) -> None:
        """Write a line when a job ended or is tried again."""
        super().listen(event)
        if event.kind not in ENDED and event.kind is not EventKind.RETRIED:
            return
        took = event.details.get("elapsed_ms")
        note = f" in {seconds(took)}" if took is not None else ""
        reason = f": {event.message}" if event.message else ""
        self._stream.write(f"{event.kind} {event.action} {_name(event)}{note}{reason}\n")
        self._stream.flush()


class Bars(Watcher):
    """A bar for all, and one for each job that runs."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._progress: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._all: TaskID | None = None
        self._hashing: TaskID | None = None
        self._jobs: dict[Any, TaskID] = {}
        self._submitted = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def hashed(self, done: int, total: int) -> None:
        """Move the bar of the files that have to be read."""
        if self._hashing is None:
            self._hashing = self._progress.add_task("reading files", total=total, note="")
        self._progress.update(self._hashing, completed=done, visible=done < total)

    def listen(self, event: Event) -> None:
        """Move the bars."""
        super().listen(event)
        if self._all is None:
            self._all = self._progress.add_task("jobs", total=0, note="")
        if event.kind is EventKind.SUBMITTED:
            self._submitted += 1
            self._progress.update(self._all, total=self._submitted)
        elif event.kind is EventKind.STARTED:
            title = f"  {event.action} {_name(event)}"
            self._jobs[event.job_id] = self._progress.add_task(title, total=100, note="")
        elif event.kind is EventKind.PROGRESSED and event.job_id in self._jobs:
            percent = round((event.fraction or 0) * 100)
            self._progress.update(
                self._jobs[event.job_id], completed=percent, note=display(event.message)
            )
        elif event.kind in ENDED or event.kind is EventKind.RETRIED:
            if event.job_id in self._jobs:
                self._progress.remove_task(self._jobs.pop(event.job_id))
            if event.kind in ENDED:
                self._progress.advance(self._all)


def _name(event: Event) -> str:
    return display(os.path.basename(url_to_path(event.media_url)))  # noqa: PTH119 - bad UTF-8
