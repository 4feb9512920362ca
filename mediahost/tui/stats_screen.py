"""The screen Stats: the pace, the times of each action, the reasons of failures."""

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from mediahost.errors import StoreError
from mediahost.model.paths import display
from mediahost.store.figures import Figures
from mediahost.tui.lanes import plot
from mediahost.tui.news import Trouble
from mediahost.tui.session import Session
from mediahost.tui.status_line import StatusLine
from mediahost.tui.top_bar import TopBar
from mediahost.tui.words import right, span, took

READ_EVERY_S = 5.0
# The time spans, by their hours.
SPANS = {1: "hour", 24: "day", 24 * 7: "week"}
PLOT_LINES = 4
HINTS = (("stats.span", "time span"), ("help", "help"))


class StatsScreen(Screen[None]):
    """Figures of the last hours."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "span", "Another time span", show=False, id="stats.span"),
    ]
    DEFAULT_CSS = """
    StatsScreen VerticalScroll { padding: 0 2; }
    StatsScreen Static { height: auto; margin-bottom: 1; }
    StatsScreen #pace { color: $primary; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._hours = 24
        self._figures: Figures | None = None

    def compose(self) -> ComposeResult:
        """The pace, the actions, the reasons."""
        yield TopBar("stats")
        with VerticalScroll():
            yield Static("", id="head", markup=False)
            yield Static("", id="pace", markup=False)
            yield Static("", id="actions", markup=False)
            yield Static("", id="reasons", markup=False)
        yield StatusLine(HINTS)

    def on_mount(self) -> None:
        """Read now and then."""
        self.set_interval(READ_EVERY_S, self._read_if_seen)

    def on_screen_resume(self) -> None:
        """Read at once: what is shown may be from long ago."""
        self._read()

    def on_resize(self) -> None:
        """Draw as wide as there is room."""
        self._tell()

    def action_span(self) -> None:
        """The next time span."""
        spans = list(SPANS)
        self._hours = spans[(spans.index(self._hours) + 1) % len(spans)]
        self._read()

    def _read_if_seen(self) -> None:
        if self.is_current:
            self._read()

    @work(exclusive=True)
    async def _read(self) -> None:
        try:
            self._figures = await self._session.figures(self._hours)
        except StoreError as error:
            self.app.post_message(Trouble(error))
            return
        self._tell()

    def _tell(self) -> None:
        if self._figures is None:
            return
        shown = self._figures
        self.query_one("#head", Static).update(Text(head(shown, self._hours), style="bold"))
        width = max(10, self.size.width - 6)
        ended = [float(done + failed) for done, failed in shown.hours]
        width = min(width, len(ended) * max(1, width // len(ended)))
        lines = plot(ended, width, PLOT_LINES, floor=0.0)
        title = f"Jobs ended an hour, most {max(map(int, ended), default=0):,}"
        since = f"{span(self._hours * 3600)} ago"
        axis = since + right("now", width - len(since))
        self.query_one("#pace", Static).update(Text("\n".join([title, *lines, axis])))
        self.query_one("#actions", Static).update(actions(shown))
        self.query_one("#reasons", Static).update(reasons(shown))
        self.query_one(StatusLine).tell(f"the last {SPANS[self._hours]}")


def head(shown: Figures, hours: int) -> str:
    """The whole in one line."""
    done = sum(one.completed for one in shown.actions)
    failed = sum(one.failed for one in shown.actions)
    cached = sum(one.cached for one in shown.actions)
    parts = [f"{done:,} completed, {failed:,} failed in the last {SPANS[hours]}"]
    if cached:
        parts.append(f"{cached:,} answered by the cache")
    if shown.pending:
        eta = "" if shown.eta_s is None else f", done in about {span(shown.eta_s)}"
        parts.append(f"{shown.pending:,} waiting{eta}")
    return "   ".join(parts)


def actions(shown: Figures) -> Table:
    """A line for each action."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("ACTION")
    for name in ("COMPLETED", "FAILED", "CACHED", "MEDIAN", "P95"):
        table.add_column(name, justify="right")
    for one in shown.actions:
        table.add_row(
            Text(display(one.action)),
            f"{one.completed:,}",
            Text(f"{one.failed:,}", style="bold" if one.failed else ""),
            f"{one.cached:,}",
            took(one.median_ms),
            took(one.p95_ms),
        )
    return table


def reasons(shown: Figures) -> Text:
    """Why jobs failed, the most frequent first."""
    if not shown.reasons:
        return Text("Nothing failed.")
    lines = [Text("Why jobs failed", style="bold")]
    lines += [Text(f"{number:>7,}  {display(why)}") for why, number in shown.reasons]
    return Text("\n").join(lines)
