"""What can be narrowed down to with one key: states and actions, with their counts."""

from collections.abc import Mapping, Sequence
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
        self._shown: object = None

    def tell(
        self,
        counts: Mapping[JobStatus, int],
        actions: Sequence[ActionCount],
        chosen: Mapping[str, Sequence[str]],
        saved: Sequence[str] = (),
    ) -> None:
        """Show counts; what is in the filter already is emphasised."""
        content = (dict(counts), tuple(actions), {k: tuple(v) for k, v in chosen.items()}, saved)
        if content == self._shown:
            return
        self._shown = content
        at = self.highlighted
        self.clear_options()
        self.add_option(self._heading("State"))
        for status, sign in SIGNS.items():
            label = f"{glyph_of(sign, ascii_only=self._ascii_only)} {sign.word}"
            on = str(status) in chosen.get("state", ())
            self.add_option(self._option("state", str(status), label, counts.get(status, 0), on=on))
        if actions:
            self.add_option(self._heading("Action"))
        for action, number in actions:
            on = action in chosen.get("action", ())
            self.add_option(self._option("action", action, display(action), number, on=on))
        if saved:
            self.add_option(self._heading("Saved"))
        for name in saved:
            self.add_option(Option(Text(fit(display(name), INNER)), id=f"saved {name}"))
        if at is not None and at < self.option_count:
            self.highlighted = at

    def _heading(self, text: str) -> Option:
        return Option(Text(text, style="bold"), disabled=True)

    def _option(self, field: str, value: str, label: str, number: int, *, on: bool) -> Option:
        figure = count(number)
        text = fit(label, INNER - 6) + right(figure, 6)
        return Option(Text(text, style="bold reverse" if on else ""), id=f"{field} {value}")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Tell what was chosen."""
        event.stop()
        field, _, value = (event.option_id or "").partition(" ")
        self.post_message(self.Chosen(field, value))
