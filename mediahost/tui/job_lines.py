"""Jobs as painted lines, each kept as long as it looks the same."""

from datetime import datetime
from enum import Enum

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from mediahost.store.browse import JobLine
from mediahost.tui.columns import Columns, cells, header, placeholder
from mediahost.tui.signs import STYLES

MOST_KEPT = 256
_PREFIX = "job-table--"
_NAMES = (*STYLES, "header", "cursor", "mark", "number", "action", "media", "error", "cached")
# What parts of a line are called in style sheets.
PARTS = {_PREFIX + name for name in (*_NAMES, "dim", "cursor-blurred")}


class Cursor(Enum):
    """Whether the cursor is on a row, and whether the keys go there."""

    ELSEWHERE = 0
    FOCUSED = 1
    BLURRED = 2

    @classmethod
    def of(cls, *, here: bool, focused: bool) -> "Cursor":
        """Where it is."""
        if not here:
            return cls.ELSEWHERE
        return cls.FOCUSED if focused else cls.BLURRED


# All that a painted line depends on, as long as theme and columns are the same: the job's line, its
# age, the cursor, the mark, the width.
_Look = tuple[JobLine, int, Cursor, bool, int]


class JobLines:
    """Paints lines in the styles of a widget.

    Args:
        widget: Its component classes are `PARTS`.
        attempts: How often a job is tried.
    """

    def __init__(self, widget: Widget, *, attempts: int) -> None:
        self._widget = widget
        self._attempts = attempts
        self._columns = Columns.for_width(80)
        self._styles: dict[str, Style] = {}
        self._bases: dict[Cursor, Style] = {}
        self._kept: dict[int, tuple[_Look, Strip]] = {}

    def fit(self, width: int) -> None:
        """Other columns, for so many cells."""
        self._columns = Columns.for_width(width)
        self._kept.clear()

    @property
    def shows_notes(self) -> bool:
        """Whether there is a column for what is to be said of a job."""
        return self._columns.note > 0

    def forget_styles(self) -> None:
        """There is another theme."""
        self._styles.clear()
        self._bases.clear()
        self._kept.clear()

    def header(self, width: int) -> Strip:
        """The names of the columns."""
        base = self._widget.rich_style
        segment = Segment(header(self._columns), base + self._style("header"))
        return self._strip([segment], width, base)

    def placeholder(self, number: int, cursor: Cursor, width: int) -> Strip:
        """The line of a job that is still being read."""
        base = self._base(cursor)
        text, name = placeholder(number, self._columns, width)
        return self._strip([Segment(text, base + self._style(name))], width, base)

    def painted(
        self, line: JobLine, now: datetime, cursor: Cursor, width: int, *, marked: bool
    ) -> Strip:
        """The line of a job."""
        number = line.number
        look = (line, age_of(line, now), cursor, marked, width)
        kept = self._kept.get(number)
        # A list that scrolls is painted anew, though most of its lines are the same.
        if kept is None or kept[0] != look:
            strip = self._paint(line, now, cursor, width, marked=marked)
            kept = self._kept[number] = (look, strip)
            if len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return kept[1]

    def _paint(
        self, line: JobLine, now: datetime, cursor: Cursor, width: int, *, marked: bool
    ) -> Strip:
        base = self._base(cursor)
        parts = cells(line, self._columns, now, attempts=self._attempts, marked=marked)
        strong = cursor is Cursor.FOCUSED
        segments = [
            Segment(text, base if strong else self._part_style(base, name, line.matches))
            for text, name in parts
        ]
        return self._strip(segments, width, base)

    def _base(self, cursor: Cursor) -> Style:
        style = self._bases.get(cursor)
        if style is None:
            style = self._bases[cursor] = self._widget.rich_style + self._style_of_cursor(cursor)
        return style

    def _style_of_cursor(self, cursor: Cursor) -> Style:
        if cursor is Cursor.ELSEWHERE:
            return Style.null()
        return self._style("cursor" if cursor is Cursor.FOCUSED else "cursor-blurred")

    def _part_style(self, base: Style, name: str, matches: bool) -> Style:
        # What the filter no longer lets through stays where it is, faded, until the next refresh.
        return base + self._style(name if matches else "dim")

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._widget.get_component_rich_style(_PREFIX + name, partial=True)
            self._styles[name] = style
        return style

    def _strip(self, segments: list[Segment], width: int, style: Style) -> Strip:
        return Strip(segments).adjust_cell_length(width, style)


def age_of(line: JobLine, now: datetime) -> int:
    """The seconds of a job's age that are seen."""
    seconds = int((now - line.created_at).total_seconds())
    return seconds if seconds < 60 else 60 * (seconds // 60)  # noqa: PLR2004 - a minute
