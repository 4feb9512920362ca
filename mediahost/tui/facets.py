"""What can be narrowed down to with one key: states and actions, with their counts."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import work
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from mediahost.errors import StoreError
from mediahost.model.changes import Changes
from mediahost.model.job import JobStatus
from mediahost.model.job_filter import JobFilter
from mediahost.model.media import display
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

# What a line is chosen by, none for a heading, and what it says.
Shown = tuple[str | None, Text]


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
        self._shown: list[Shown] = []
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
        self._actions, self._counting_took = await self._session.census()
        self._counted_at = time.monotonic()
        self._telling.ask()

    def _tell(self) -> None:
        """Show the counts; what is in the filter already is emphasised."""
        chosen = {
            field: [str(value) for value in self._wanted.values_of(field)]
            for field in ("state", "action")
        }
        options = [*self._states(self._counts, chosen), *self._of_actions(self._actions, chosen)]
        if saved := self._session.settings.tui_filters:
            options.append((None, self._heading("Saved")))
            options += [(f"saved {name}", Text(fit(display(name), INNER))) for name in saved]
        if [name for name, _ in options] == [name for name, _ in self._shown]:
            for (name, text), (_, before) in zip(options, self._shown, strict=True):
                if name is not None and text != before:
                    self.replace_option_prompt(name, text)
        else:
            self._refill(options)
        self._shown = options

    def _refill(self, options: Sequence[Shown]) -> None:
        at = self.highlighted
        self.clear_options()
        self.add_options(Option(text, id=name, disabled=name is None) for name, text in options)
        if at is not None and at < self.option_count:
            self.highlighted = at

    def _states(
        self, counts: Mapping[JobStatus, int], chosen: Mapping[str, Sequence[str]]
    ) -> Iterator[Shown]:
        yield None, self._heading("State")
        for status, sign in SIGNS.items():
            label = f"{sign.glyph} {sign.word}"
            on = str(status) in chosen.get("state", ())
            yield f"state {status}", self._option(label, counts.get(status, 0), on=on)

    def _of_actions(
        self, actions: Sequence[ActionCount], chosen: Mapping[str, Sequence[str]]
    ) -> Iterator[Shown]:
        if actions:
            yield None, self._heading("Action")
        for action, number in actions:
            on = action in chosen.get("action", ())
            yield f"action {action}", self._option(display(action), number, on=on)

    def _heading(self, text: str) -> Text:
        return Text(text, style="bold")

    def _option(self, label: str, number: int, *, on: bool) -> Text:
        figure = count(number)
        text = fit(label, INNER - 6) + right(figure, 6)
        return Text(text, style="bold reverse" if on else "")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Tell what was chosen."""
        event.stop()
        field, _, value = (event.option_id or "").partition(" ")
        self.post_message(self.Chosen(field, value))
