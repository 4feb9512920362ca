"""Progress bars on a terminal."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.constrain import Constrain
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mediahost.cli.output import paused, seconds
from mediahost.cli.progress import ENDED, Watcher, bytes_of, file_name, name_of
from mediahost.model.event import Event, EventKind
from mediahost.model.paths import display
from mediahost.model.pause import Pause

BAR_WIDTH = 20
DRAWINGS_PER_S = 8
MOST_RUNNING = 12
ROOM_FOR_CTRL_C = 3

# How long the rest takes can't be told from fewer jobs than this.
ENOUGH_TO_TELL = 5


@dataclass(slots=True)
class _Running:
    title: str
    fraction: float | None = None
    note: str = ""
    since: float = field(default_factory=time.monotonic)


class Bars(Watcher):
    """A bar for all jobs, and one for each that runs.

    Events only change numbers; drawing is done a few times a second, by another thread, so that
    ten thousand short jobs cost nothing here.
    """

    def __init__(self, idle: str) -> None:
        super().__init__()
        self._idle = idle
        self._submitted = 0
        self._paused = ""
        self._hashed = (0, 0)
        self._fetching: dict[str, tuple[int, int | None]] = {}
        self._running: dict[Any, _Running] = {}
        self._since = 0.0
        self._console = Console(stderr=True)
        self._live = Live(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=DRAWINGS_PER_S,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def hashed(self, done: int, total: int) -> None:
        """Note how many of the files that have to be read are."""
        self._hashed = (done, total)

    def fetching(self, url: str, size: int | None, whole: int | None) -> None:
        """Note how much of a URL's file has come."""
        if size is None:
            self._fetching.pop(url, None)
        else:
            self._fetching[url] = (size, whole)

    def waits(self, pauses: Sequence[Pause]) -> None:
        """Note what is paused, and how to resume it."""
        self._paused = paused(pauses)

    def listen(self, event: Event) -> None:
        """Note what an event changes."""
        super().listen(event)
        if event.kind is EventKind.SUBMITTED:
            self._submitted += 1
        elif event.kind is EventKind.STARTED:
            self._since = self._since or time.monotonic()
            self._paused = ""
            self._running[event.job_id] = _of(event)
        elif event.kind is EventKind.PROGRESSED:
            # One whose file is still being fetched has not started.
            running = self._running.setdefault(event.job_id, _of(event))
            running.fraction, running.note = event.fraction, display(event.message)
        elif event.kind in ENDED or event.kind is EventKind.RETRIED:
            self._running.pop(event.job_id, None)

    def _draw(self) -> Constrain:
        # A terminal writes ^C where the cursor is; were the line full, that would wrap and one
        # line would stay behind when the bars are wiped away.
        return Constrain(self._drawn(), self._console.width - ROOM_FOR_CTRL_C)

    def _drawn(self) -> Table | Text:
        total = max(self._submitted, self.ended + len(self._running))
        if self._paused and not self.ended and not self._running:
            return Text(self._paused)
        if not total:
            return self._draw_reading()
        table = _grid()
        table.add_row(
            Text("all jobs", style="bold"),
            ProgressBar(total, self.ended, width=BAR_WIDTH),
            Text(f"{self.ended}/{total}"),
            self._outlook(total),
        )
        running = list(self._running.values())
        for one in running[:MOST_RUNNING]:
            table.add_row(*_row(one))
        if len(running) > MOST_RUNNING:
            table.add_row(Text(f"and {len(running) - MOST_RUNNING} more"))
        return table

    def _draw_reading(self) -> Table | Text:
        done, total = self._hashed
        fetching = list(self._fetching.items())
        if done == total and not fetching:
            return Text(self._idle)
        table = _grid()
        bar = ProgressBar(total, done, width=BAR_WIDTH)
        table.add_row(Text("reading files", style="bold"), bar, Text(f"{done}/{total}"), Text())
        for url, (size, whole) in fetching[:MOST_RUNNING]:
            table.add_row(*_fetch_row(url, size, whole))
        return table

    def _outlook(self, total: int) -> Text:
        text = Text()
        if self.failed:
            text.append(f"{self.failed} failed", style="red")
        if self.ended >= ENOUGH_TO_TELL and self.ended < total:
            each = (time.monotonic() - self._since) / self.ended
            text.append(", " if text else "")
            text.append(f"about {seconds(each * (total - self.ended) * 1000)} left")
        return text


def _grid() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column(width=BAR_WIDTH)
    table.add_column(no_wrap=True, justify="right", min_width=4)
    table.add_column(ratio=2, no_wrap=True, overflow="ellipsis")
    return table


def _of(event: Event) -> _Running:
    return _Running(f"{event.action} {file_name(event)}")


def _fetch_row(url: str, size: int, whole: int | None) -> tuple[Text, ProgressBar, Text, Text]:
    title, note = Text(f"  fetching {name_of(url)}"), Text(bytes_of(size, whole))
    if not whole:
        return title, ProgressBar(None, pulse=True, width=BAR_WIDTH), Text(), note
    return title, ProgressBar(whole, size, width=BAR_WIDTH), Text(f"{size / whole:.0%}"), note


def _row(one: _Running) -> tuple[Text, ProgressBar, Text, Text]:
    title = Text("  " + one.title)
    if one.fraction is None:  # it has said nothing yet: only that it runs can be shown
        bar = ProgressBar(None, pulse=True, width=BAR_WIDTH)
        return title, bar, Text(), Text(seconds((time.monotonic() - one.since) * 1000))
    bar = ProgressBar(1.0, one.fraction, width=BAR_WIDTH)
    return title, bar, Text(f"{one.fraction:.0%}"), Text(one.note)
