"""Every key that works where one is."""

from collections import defaultdict
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from mediahost.tui.keys import keys_by_deed
from mediahost.tui.moves import MOVES

KEY_WIDTH = 20


class HelpScreen(ModalScreen[None]):
    """The keys, by where they belong."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "app.pop_screen", "Close", show=False),
        *MOVES,
    ]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen VerticalScroll { width: 72; max-width: 95%; height: auto; max-height: 90%;
        padding: 1 2; background: $surface; border: round $border; }
    """

    def __init__(self, asked: Screen[Any]) -> None:
        super().__init__()
        self._text = keys_of(asked)

    def compose(self) -> ComposeResult:
        """The text."""
        with VerticalScroll():
            yield Static(self._text)


def keys_of(screen: Screen[Any]) -> Text:
    """The keys that do something on a screen as it is now."""
    groups: dict[str, list[str]] = defaultdict(list)
    for active, keys in keys_by_deed(screen):
        group, _, _ = (active.binding.id or "").partition(".")
        groups[group].append(f"  {'  '.join(keys):<{KEY_WIDTH}} {active.binding.description}")
    text = Text("Keys here", style="bold")
    for name, lines in groups.items():
        text.append(f"\n\n{name.capitalize()}\n", style="bold")
        text.append("\n".join(lines), style="not bold")
    text.append("\n\nEsc closes this.  ctrl+p finds any of them by name.", style="not bold")
    return text
