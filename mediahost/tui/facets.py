"""What can be narrowed down to with one key: states and actions, with their counts."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import work
from textual.message import Message
from textual.strip import Strip
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from mediahost.errors import StoreError
from mediahost.model.changes import Changes
from mediahost.model.job import JobStatus
from mediahost.model.job_filter import JobFilter
from mediahost.model.paths import display
from mediahost.store.browse import ActionCount
from mediahost.tui.news import Trouble
from mediahost.tui.seldom import Seldom
from mediahost.tui.session import Session
from mediahost.tui.signs import SIGNS
from mediahost.tui.words import count, fit, right

WIDTH = 24
INNER = WIDTH - 3
# Counting a million jobs takes some 100 ms of CPU: never more than this share of the time.
COUNTING_SHARE = 0.02
COUNT_AT_MOST_EVERY_S = 1.0

PLAIN, HEADING, CHOSEN = Style(), Style(bold=True), Style(bold=True, reverse=True)


class Line(NamedTuple):
    """One line.

    Attributes:
        name: What it is chosen by; None: it is a heading.
        text: What it says.
        style: How it is emphasised.
    """

    name: str | None
    text: str
    style: Style = PLAIN


class Facets(OptionList):
    """States and actions; choosing one puts it into the filter, or takes it out."""

    DEFAULT_CSS = f"""
    Facets {{ width: {WIDTH}; height: 1fr; border: none; padding: 0 1; background: $surface;
        scrollbar-size-vertical: 1; }}
    Facets:focus {{ border: none; background: $surface; }}
    """

    @dataclass
    class Chosen(Message):
        """A person chose a value of a field."""

        field: str
        value: str

    def __init__(self, session: Session) -> None:
        super().__init__(id="facets")
        self._session = session
        self._shown: list[Line] = []
        self._wanted = JobFilter()
        self._counts: Mapping[JobStatus, int] = {}
        self._actions: Sequence[ActionCount] = ()
        self._counted_at = 0.0
        self._counting_took = 0.0
        self._is_counting = False
        self._count_again = False
        self._telling = Seldom(self, self._tell, COUNT_AT_MOST_EVERY_S)

    def on_mount(self) -> None:
        """Count."""
        self._count()

    def store_changed(self, changes: Changes) -> None:
        """Other counts."""
        if changes.counts != self._counts:
            self._counts = changes.counts
            self._telling.ask()
        if changes.added or changes.deleted or changes.resync:
            self._count()

    def choose(self, wanted: JobFilter) -> None:
        """Emphasise what is in the filter."""
        self._wanted = wanted
        self._tell()

    @work(group="count")
    async def _count(self) -> None:
        """Count the actions' jobs, but not all the time."""
        self._count_again = True
        if self._is_counting:
            return
        self._is_counting = True
        try:
            while self._count_again and self.is_attached:
                self._count_again = False
                await self._count_once()
        except StoreError as error:
            self.app.post_message(Trouble(error))
        finally:
            self._is_counting = False

    async def _count_once(self) -> None:
        pause = max(COUNT_AT_MOST_EVERY_S, self._counting_took / COUNTING_SHARE)
        if (left := self._counted_at + pause - time.monotonic()) > 0:
            await asyncio.sleep(left)
            self._count_again = False
        before = [action for action, _ in self._actions]
        self._actions, self._counting_took = await self._session.census()
        self._counted_at = time.monotonic()
        if [action for action, _ in self._actions] == before:
            self._telling.ask()
        else:
            self._telling.at_once()  # an action to choose is more than another count

    def _tell(self) -> None:
        """Show the counts; what is in the filter already is emphasised."""
        chosen = {
            field: [str(value) for value in self._wanted.values_of(field)]
            for field in ("state", "action")
        }
        lines = [*self._states(self._counts, chosen), *self._of_actions(self._actions, chosen)]
        if saved := self._session.settings.tui_filters:
            lines.append(Line(None, "Saved", HEADING))
            lines += [Line(f"saved {name}", fit(display(name), INNER)) for name in saved]
        before, self._shown = self._shown, lines
        if [line.name for line in lines] != [line.name for line in before]:
            self._refill(lines)
            return
        for index, (line, was) in enumerate(zip(lines, before, strict=True)):
            if line != was:
                self.refresh_line(index)

    def _refill(self, lines: Sequence[Line]) -> None:
        at = self.highlighted
        self.clear_options()
        self.add_options(
            Option(Text(line.text), id=line.name, disabled=line.name is None) for line in lines
        )
        if at is not None and at < self.option_count:
            self.highlighted = at

    def _states(
        self, counts: Mapping[JobStatus, int], chosen: Mapping[str, Sequence[str]]
    ) -> Iterator[Line]:
        yield Line(None, "State", HEADING)
        for status, sign in SIGNS.items():
            label = f"{sign.glyph} {sign.word}"
            on = str(status) in chosen.get("state", ())
            yield _line(f"state {status}", label, counts.get(status, 0), on=on)

    def _of_actions(
        self, actions: Sequence[ActionCount], chosen: Mapping[str, Sequence[str]]
    ) -> Iterator[Line]:
        if actions:
            yield Line(None, "Action", HEADING)
        for action, number in actions:
            on = action in chosen.get("action", ())
            yield _line(f"action {action}", display(action), number, on=on)

    def render_line(self, y: int) -> Strip:
        """One line as it is counted now: OptionList would draw all anew where one differs."""
        index = int(self.scroll_offset.y) + y
        line = self._shown[index] if index < len(self._shown) else Line(None, "")
        style = self._style_of(index, line)
        strip = Strip([Segment(line.text, style + line.style)])
        strip = strip.adjust_cell_length(self.scrollable_content_region.width, style)
        return strip.apply_meta({"option": index}) if line.name is not None else strip

    def _style_of(self, index: int, line: Line) -> Style:
        names = ["option-list--option"]
        if line.text and line.name is None:
            names.append("option-list--option-disabled")
        elif line.name is not None and self.highlighted == index:
            names.append("option-list--option-highlighted")
        elif line.name is not None and self._mouse_hovering_over == index:
            names.append("option-list--option-hover")
        return self.get_visual_style(*names).rich_style

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Tell what was chosen."""
        event.stop()
        field, _, value = (event.option_id or "").partition(" ")
        self.post_message(self.Chosen(field, value))


def _line(name: str, label: str, number: int, *, on: bool) -> Line:
    text = fit(label, INNER - 6) + right(count(number), 6)
    return Line(name, text, CHOSEN if on else PLAIN)
