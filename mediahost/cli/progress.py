"""What one sees while jobs run: bars on a terminal, plain lines elsewhere."""

import json
import os
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, TextIO

from mediahost.cli.output import paused, seconds
from mediahost.cli.output import size as size_of
from mediahost.model.event import Event, EventKind
from mediahost.model.job import Outcome
from mediahost.model.paths import display, is_remote, url_to_path
from mediahost.model.pause import Pause

# Of a file that is being fetched, where nothing can be drawn over.
SAY_EVERY_S = 10.0

ENDED = {EventKind.COMPLETED, EventKind.FAILED, EventKind.CANCELLED}


class Watcher:
    """Listens to events and shows them. This one shows nothing; it only counts.

    Attributes:
        ended: How many jobs ended, however they did.
        failed: How many of them failed.
    """

    def __init__(self) -> None:
        self.ended = 0
        self.failed = 0

    def listen(self, event: Event) -> None:
        """Show an event."""
        self.ended += event.kind in ENDED
        self.failed += event.kind is EventKind.FAILED

    def hashed(self, done: int, total: int) -> None:
        """Show how many files that had to be read are."""

    def fetching(self, url: str, size: int | None, whole: int | None) -> None:
        """Show how many bytes of a URL's file have come; None: that is over."""

    def waits(self, pauses: Sequence[Pause]) -> None:
        """Show that jobs wait until somebody resumes these."""

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
        self._say_next: dict[str, float] = {}
        self._lacking: set[str] = set()

    def fetching(self, url: str, size: int | None, whole: int | None) -> None:
        """Write a line now and then, for a file that takes long."""
        if size is None:
            self._say_next.pop(url, None)
        elif time.monotonic() >= self._say_next.setdefault(url, time.monotonic() + SAY_EVERY_S):
            self._say_next[url] = time.monotonic() + SAY_EVERY_S
            self._stream.write(f"fetching {name_of(url)}: {bytes_of(size, whole)}\n")
            self._stream.flush()

    def waits(self, pauses: Sequence[Pause]) -> None:
        """Write what is paused, and how to resume it."""
        self._stream.write(f"{paused(pauses)}\n")
        self._stream.flush()

    def listen(self, event: Event) -> None:
        """Write a line when a job ended or is tried again."""
        super().listen(event)
        if event.kind not in ENDED and event.kind is not EventKind.RETRIED:
            return
        if event.details.get("outcome") == Outcome.UNAVAILABLE:
            # The same for each file: said once, in the summary or by who works for others.
            if event.action in self._lacking:
                return
            self._lacking.add(event.action)
        took = event.details.get("elapsed_ms")
        note = f" in {seconds(took)}" if took is not None else ""
        reason = f": {display(event.message)}" if event.message else ""
        self._stream.write(f"{event.kind} {event.action} {file_name(event)}{note}{reason}\n")
        self._stream.flush()


class JsonLines(Watcher):
    """Each event as a line of JSON, as soon as it happens."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def listen(self, event: Event) -> None:
        """Write the event."""
        super().listen(event)
        self._stream.write(json.dumps(event.to_json(), default=str) + "\n")
        self._stream.flush()


class Waiting:
    """A watcher's listener that also looks, at the first job, whether such jobs are paused.

    Args:
        watcher: Listens, and is told.
        pauses: What is paused now.
    """

    def __init__(self, watcher: Watcher, pauses: Callable[[], Sequence[Pause]]) -> None:
        self._watcher = watcher
        self._pauses = pauses
        self._asked: set[str] = set()

    def listen(self, event: Event) -> None:
        """Pass it on."""
        self._watcher.listen(event)
        if event.kind is EventKind.SUBMITTED and event.action not in self._asked:
            self._asked.add(event.action)
            if holding := [one for one in self._pauses() if one.holds("", event.action)]:
                self._watcher.waits(holding)


def file_name(event: Event) -> str:
    """The media file's name, safe to show."""
    return name_of(event.media_url)


def name_of(url: str) -> str:
    """The last part of a media file's URL, safe to show."""
    path = url.partition("?")[0] if is_remote(url) else url_to_path(url)
    return display(os.path.basename(path))  # noqa: PTH119 - bad UTF-8


def bytes_of(size: int, whole: int | None) -> str:
    """How much of a file has come."""
    return f"{size_of(size)} of {size_of(whole)}" if whole else size_of(size)
