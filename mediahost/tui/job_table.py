"""The list of jobs: a window of lines over any number of rows.

It asks for what it has not got by a message and shows placeholders until it comes; it never reads.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mediahost.store.browse import JobLine
from mediahost.tui.awaiting import Awaiting, with_rows
from mediahost.tui.job_lines import PARTS, Cursor, JobLines, age_of
from mediahost.tui.rows import Rows

MARGIN = 64


class JobTable(ScrollView, Awaiting, can_focus=True):
    """Jobs, one a line."""

    COMPONENT_CLASSES: ClassVar[set[str]] = PARTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False, id="jobs.down"),
        Binding("k,up", "move(-1)", "Up", show=False, id="jobs.up"),
        Binding("g,home", "top", "First", show=False, id="jobs.first"),
        Binding("G,end", "bottom", "Last", show=False, id="jobs.last"),
        Binding("ctrl+d,pagedown", "page(1)", "Page down", show=False, id="jobs.page_down"),
        Binding("ctrl+u,pageup", "page(-1)", "Page up", show=False, id="jobs.page_up"),
        Binding("enter", "open", "Open", show=False, id="jobs.open"),
        Binding("space", "mark", "Mark", show=False, id="jobs.mark"),
        Binding("v", "range", "Mark a range", show=False, id="jobs.range"),
    ]
    DEFAULT_CSS = """
    JobTable {
        background: $background;
        color: $foreground;
        scrollbar-size-horizontal: 0;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
    }
    .job-table--header { color: $text-muted; text-style: bold; }
    .job-table--cursor { background: $block-cursor-background; color: $block-cursor-foreground;
        text-style: bold; }
    .job-table--cursor-blurred { background: $panel; }
    JobTable:ansi .job-table--cursor-blurred { text-style: bold reverse; }
    .job-table--processing { color: $primary; }
    .job-table--pending { color: $text-muted; }
    .job-table--failed { color: $error; }
    .job-table--completed { color: $success; }
    .job-table--cancelled { color: $warning; }
    .job-table--cancelling { color: $warning; }
    .job-table--cached { color: $secondary; }
    .job-table--mark { color: $accent; text-style: bold; }
    .job-table--number { color: $text-muted; }
    .job-table--action { color: $foreground; }
    .job-table--media { color: $foreground; }
    .job-table--error { color: $error; }
    .job-table--dim { color: $text-muted; }
    """

    @dataclass
    class Wanted(Message):
        """Lines of these jobs are needed."""

        numbers: list[int]

    @dataclass
    class Highlighted(Message):
        """The cursor is on this job; None: there is none."""

        number: int | None

    @dataclass
    class Opened(Message):
        """A person wants to see this job."""

        number: int

    class Marked(Message):
        """Other jobs are marked."""

    class Resized(Message):
        """There is room for more rows, or for fewer."""

    def __init__(self, *, attempts: int, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.await_rows()
        self.rows = Rows()
        self.marked: set[int] = set()
        self.all_marked = False
        self.cursor = 0
        self._range_from: int | None = None
        self._whole = False
        self._to_end = False
        self._now = datetime.now(UTC)
        self._asked: frozenset[int] = frozenset()
        self._lines = JobLines(self, attempts=attempts)

    # --- what is shown -------------------------------------------------------------------------

    @property
    def current(self) -> int | None:
        """The number of the job under the cursor."""
        return self.rows.number_at(self.cursor) if self.cursor < len(self.rows) else None

    @property
    def current_line(self) -> JobLine | None:
        """The line under the cursor, if it is known."""
        return None if self.current is None else self.rows.line(self.current)

    @property
    def at_top(self) -> bool:
        """Whether the cursor is on the first row."""
        return self.cursor == 0

    @property
    def window(self) -> tuple[int, int]:
        """The first row that is visible, and how many there is room for."""
        return int(self.scroll_offset.y), max(1, self.scrollable_content_region.height - 1)

    def in_sight(self) -> list[int]:
        """The numbers of the jobs that are in sight."""
        return self.rows.numbers_at(*self.window)

    def show(self, rows: "Rows", lines: Iterable[JobLine] = (), *, whole: bool = True) -> None:
        """Show another list, or its beginning; the cursor stays on its job if that is there."""
        current = self.current
        self.rows = rows
        self.rows.put(lines)
        self.cursor = 0 if current is None or self.at_top else rows.nearest(current)
        self._resized()
        self.refresh()
        self._whole = whole
        if whole and self._to_end:
            self.move_to(len(rows) - 1)
        self._tell()
        self.rows_are_there()

    def grow(self, fresh: Iterable[int]) -> None:
        """New jobs come above the others; the cursor stays at the top if it is there."""
        before, at_top = len(self.rows), self.at_top
        self.rows.extend(fresh)
        grown = len(self.rows) - before
        if not at_top:
            self.cursor += grown
            self.set_scroll(None, self.scroll_offset.y + grown)
        self._resized()
        self.refresh()
        self._tell()

    def put(self, lines: Iterable[JobLine]) -> bool:
        """Newer lines of jobs; repaints those alone that look different."""
        changed = self.rows.put(lines)
        self._asked = frozenset()
        self._repaint(changed)
        return self.current in changed

    def advance(self, progress: Mapping[int, tuple[float, str]]) -> bool:
        """How far jobs are now; whether the one under the cursor went on."""
        moved = self.rows.advance(progress)
        self._repaint(moved)
        return self.current in moved

    def _repaint(self, changed: Iterable[int]) -> None:
        first, height = self.window
        for number in changed:
            index = self.rows.index_of(number)
            if index is not None and first <= index < first + height:
                self._refresh_row(index)

    def tick(self, now: datetime | None = None) -> None:
        """Time has passed: ages may read differently."""
        before, self._now = self._now, now or datetime.now(UTC)
        first, _ = self.window
        for offset, number in enumerate(self.in_sight()):
            line = self.rows.line(number)
            if line and age_of(line, before) != age_of(line, self._now):
                self._refresh_row(first + offset)

    @property
    def shows_notes(self) -> bool:
        """Whether there is room for more than state, action and media file."""
        return self._lines.shows_notes

    # --- marks ---------------------------------------------------------------------------------

    def clear_marks(self) -> None:
        """Mark nothing."""
        self.marked.clear()
        self.all_marked = False
        self._range_from = None
        self.refresh()
        self.post_message(self.Marked())

    @with_rows
    def mark_all(self) -> None:
        """Mark every job that matches, also those that nobody has scrolled to."""
        self.all_marked = True
        self.refresh()
        self.post_message(self.Marked())

    @with_rows
    def action_mark(self) -> None:
        """Mark the job under the cursor, or take its mark away."""
        if self.current is None:
            return
        if self.all_marked:
            self.clear_marks()
        self.marked.symmetric_difference_update({self.current})
        self._refresh_row(self.cursor)
        self.post_message(self.Marked())
        self.action_move(1)

    @with_rows
    def action_range(self) -> None:
        """Begin a range of marks here, or end it."""
        if self._range_from is None or (start := self.rows.index_of(self._range_from)) is None:
            self._range_from = self.current
            self.notify("The range begins here: move, then press v again", timeout=3)
            return
        low, high = sorted((start, self.cursor))
        self.marked.update(self.rows.numbers_at(low, high - low + 1))
        self._range_from = None
        self.refresh()
        self.post_message(self.Marked())

    # --- moving --------------------------------------------------------------------------------

    @with_rows
    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self.move_to(self.cursor + rows)

    @with_rows
    def action_page(self, pages: int) -> None:
        """Move the cursor by so many screens."""
        self.move_to(self.cursor + pages * max(1, self.window[1] - 1))

    @with_rows
    def action_top(self) -> None:
        """Go to the first row."""
        self.move_to(0)

    @with_rows
    def action_bottom(self) -> None:
        """Go to the last row."""
        self.move_to(len(self.rows) - 1)
        if not self._whole:  # what is pressed next is meant for the true last row
            self._to_end = True
            self.await_rows()

    @with_rows
    def action_open(self) -> None:
        """Open the job under the cursor."""
        if self.current is not None:
            self.post_message(self.Opened(self.current))

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, and bring it into sight."""
        self._to_end = False
        index = max(0, min(index, len(self.rows) - 1))
        if index == self.cursor:
            return
        self._refresh_row(self.cursor)
        self.cursor = index
        self._refresh_row(index)
        self._scroll_to_cursor()
        self._tell()

    def _scroll_to_cursor(self) -> None:
        first, height = self.window
        if self.cursor < first:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= first + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, immediate=True)

    def _tell(self) -> None:
        self.post_message(self.Highlighted(self.current))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a second one opens."""
        if event.y < 1:
            return
        index = self.window[0] + event.y - 1
        if index >= len(self.rows):
            return
        if index == self.cursor and event.chain > 1:
            self.action_open()
        self.move_to(index)

    # --- painting ------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Other columns fit."""
        self._lines.fit(self.scrollable_content_region.width)
        self._resized()
        self.refresh()  # it may have been painted with the columns of before
        self._scroll_to_cursor()
        self.post_message(self.Resized())

    def _resized(self) -> None:
        self.virtual_size = Size(0, len(self.rows) + 1)

    def notify_style_update(self) -> None:
        """Another theme."""
        super().notify_style_update()
        self._lines.forget_styles()

    def _refresh_row(self, index: int) -> None:
        y = index - self.window[0] + 1
        if 1 <= y <= self.window[1]:
            self.refresh(Region(0, y, self.size.width, 1))

    def watch_has_focus(self, _has_focus: bool) -> None:
        """The cursor looks different."""
        super().watch_has_focus(_has_focus)
        self._refresh_row(self.cursor)

    def render_line(self, y: int) -> Strip:
        """One line of the window; the first is the names of the columns."""
        width = self.scrollable_content_region.width
        if y == 0:
            self._ask()
            return self._lines.header(width)
        index = self.window[0] + y - 1
        if index >= len(self.rows):
            return Strip.blank(width, self.rich_style)
        number = self.rows.number_at(index)
        line = self.rows.line(number)
        cursor = Cursor.of(here=index == self.cursor, focused=self.has_focus)
        if line is None:
            return self._lines.placeholder(number, cursor, width)
        marked = self.all_marked or number in self.marked
        return self._lines.painted(line, self._now, cursor, width, marked=marked)

    def _ask(self) -> None:
        """Ask once for the lines in sight and some around that are not there."""
        first, height = self.window
        if not self.rows.unread(self.rows.numbers_at(first, height)):
            return
        around = self.rows.numbers_at(first - MARGIN, height + 2 * MARGIN)
        wanted = self.rows.unread(around)
        if frozenset(wanted) != self._asked:
            self._asked = frozenset(wanted)
            self.post_message(self.Wanted(wanted))
