"""The time axis: every lane of ranges of one recording, with a cursor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mediahost.model.paths import display
from mediahost.tui.lanes import Lane, bars, ticks
from mediahost.tui.words import clock, fit

LABEL = 14
MOST_LANES = 16
ZOOM = 2.0
LEAST_SPAN_S = 1.0
_COLORS = ("primary", "success", "warning", "accent", "secondary", "error")


class TimeAxis(Widget, can_focus=True):
    """Lanes over time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,left", "step(-1)", "Earlier", show=False, id="axis.earlier"),
        Binding("l,right", "step(1)", "Later", show=False, id="axis.later"),
        Binding("z", "zoom(1)", "Zoom in", show=False, id="axis.in"),
        Binding("Z", "zoom(-1)", "Zoom out", show=False, id="axis.out"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"time-axis--{color}" for color in _COLORS),
        "time-axis--dim",
        "time-axis--cursor",
    }
    DEFAULT_CSS = """
    TimeAxis { height: auto; margin-bottom: 1; }
    TimeAxis:focus { background: $surface; }
    .time-axis--primary { color: $primary; }
    .time-axis--success { color: $success; }
    .time-axis--warning { color: $warning; }
    .time-axis--accent { color: $accent; }
    .time-axis--secondary { color: $secondary; }
    .time-axis--error { color: $error; }
    .time-axis--dim { color: $text-muted; }
    .time-axis--cursor { text-style: reverse; }
    """

    @dataclass
    class Moved(Message):
        """The cursor is at another moment, in seconds."""

        seconds: float

    def __init__(self, lanes: Sequence[Lane], duration: float) -> None:
        super().__init__()
        self._lanes = list(lanes)[:MOST_LANES]
        self._left_out = len(lanes) - len(self._lanes)
        self.duration = max(duration, 0.001, *(end for lane in lanes for _, end in lane.spans))
        self.start, self.end = 0.0, self.duration
        self.at = 0.0

    def get_content_height(self, *_: object) -> int:
        """A line for each lane, one for the moments, one for the cursor."""
        return len(self._lanes) + 2

    @property
    def _cells(self) -> int:
        return max(1, self.size.width - LABEL - 1)

    @property
    def _cell(self) -> int:
        share = (self.at - self.start) / (self.end - self.start)
        return min(self._cells - 1, max(0, int(share * self._cells)))

    def go(self, seconds: float) -> None:
        """Put the cursor at a moment, and keep it in sight."""
        self.at = min(self.duration, max(0.0, seconds))
        if not self.start <= self.at <= self.end:
            span = self.end - self.start
            self.start = min(max(0.0, self.at - span / 2), self.duration - span)
            self.end = self.start + span
        self.refresh()

    def action_step(self, cells: int) -> None:
        """Move the cursor by a cell."""
        self.go(self.at + cells * (self.end - self.start) / self._cells)
        self.post_message(self.Moved(self.at))

    def action_zoom(self, steps: int) -> None:
        """Show half the time around the cursor, or twice as much."""
        span = (self.end - self.start) / ZOOM**steps
        span = min(self.duration, max(min(LEAST_SPAN_S, self.duration), span))
        share = (self.at - self.start) / (self.end - self.start)
        self.start = min(max(0.0, self.at - share * span), self.duration - span)
        self.end = self.start + span
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Go where one points."""
        cell = event.x - LABEL
        if cell >= 0:
            self.go(self.start + (cell + 0.5) * (self.end - self.start) / self._cells)
            self.post_message(self.Moved(self.at))

    def render_line(self, y: int) -> Strip:
        """A lane, the moments, or what the cursor is on."""
        width, base = self.size.width, self.rich_style
        if y < len(self._lanes):
            return self._lane(y, base).adjust_cell_length(width, base)
        dim = base + self._style("dim")
        text = self._moments() if y == len(self._lanes) else self._under_cursor()
        return Strip([Segment(text, dim)]).adjust_cell_length(width, base)

    def _lane(self, y: int, base: Style) -> Strip:
        lane = self._lanes[y]
        color = base + self._style(_COLORS[y % len(_COLORS)])
        line = bars(lane, self.start, self.end, self._cells)
        label = Segment(fit(display(lane.label), LABEL - 1) + " ", base)
        if not self.has_focus:
            return Strip([label, Segment(line, color)])
        cell = self._cell
        # Between ranges a block would look like one of them.
        is_blank = line[cell] == " "
        cursor = Segment(
            "│" if is_blank else line[cell],
            base + self._style("dim") if is_blank else color + self._style("cursor"),
        )
        return Strip([label, Segment(line[:cell], color), cursor, Segment(line[cell + 1 :], color)])

    def _moments(self) -> str:
        line = [" "] * (LABEL + self._cells)
        tenths = self.end - self.start < 10  # noqa: PLR2004 - below 10 s whole seconds say little
        for cell, moment in ticks(self.start, self.end, self._cells):
            text = clock(moment, tenths=tenths)
            if LABEL + cell + len(text) <= len(line):
                line[LABEL + cell : LABEL + cell + len(text)] = text
        return "".join(line)

    def _under_cursor(self) -> str:
        if not self.has_focus:
            more = f"{self._left_out} more lanes" if self._left_out > 0 else ""
            return " " * LABEL + more
        here = [
            lane.label
            for lane in self._lanes
            if any(start <= self.at < end for start, end in lane.spans)
        ]
        found = ", ".join(map(display, here))
        return f"{fit(clock(self.at), LABEL)}{found}  h l move  z Z zoom"

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"time-axis--{name}", partial=True)
