"""What one sees while jobs run: bars on a terminal, plain lines elsewhere."""

import json
import os
from types import TracebackType
from typing import Self, TextIO

from mediahost.cli.output import seconds
from mediahost.model.event import Event, EventKind
from mediahost.model.media import display, is_remote, url_to_path

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


def file_name(event: Event) -> str:
    """The media file's name, safe to show."""
    url = event.media_url
    path = url.partition("?")[0] if is_remote(url) else url_to_path(url)
    return display(os.path.basename(path))  # noqa: PTH119 - bad UTF-8
