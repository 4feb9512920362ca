"""What can be narrowed down to with one key: states and actions, with their counts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from mediahost.model.job import JobStatus
from mediahost.model.media import display
from mediahost.store.browse import ActionCount
from mediahost.tui.signs import SIGNS, glyph_of
from mediahost.tui.words import count, fit, right

WIDTH = 24
INNER = WIDTH - 3

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

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__(id="facets")
        self._ascii_only = ascii_only
        self._shown: list[Shown] = []

    def tell(
        self,
        counts: Mapping[JobStatus, int],
        actions: Sequence[ActionCount],
        chosen: Mapping[str, Sequence[str]],
        saved: Sequence[str] = (),
    ) -> None:
        """Show counts; what is in the filter already is emphasised."""
        options = [*self._states(counts, chosen), *self._actions(actions, chosen)]
        if saved:
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
            label = f"{glyph_of(sign, ascii_only=self._ascii_only)} {sign.word}"
            on = str(status) in chosen.get("state", ())
            yield f"state {status}", self._option(label, counts.get(status, 0), on=on)

    def _actions(
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
