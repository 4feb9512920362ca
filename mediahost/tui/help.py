"""Every key that works where one is."""

from collections import defaultdict
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from mediahost.tui.keys import named

KEY_WIDTH = 20


class HelpScreen(ModalScreen[None]):
    """The keys, by where they belong."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "app.pop_screen", "Close", show=False)
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
    groups: dict[str, dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for key, active in screen.active_bindings.items():
        binding = active.binding
        if binding.id and binding.description:
            group = binding.id.partition(".")[0]
            groups[group][binding.id, binding.description].append(named(key))
    text = Text("Keys here", style="bold")
    for name, entries in groups.items():
        text.append(f"\n\n{name.capitalize()}\n", style="bold")
        lines = [f"  {'  '.join(keys):<{KEY_WIDTH}} {does}" for (_, does), keys in entries.items()]
        text.append("\n".join(lines), style="not bold")
    text.append("\n\nEsc closes this.  ctrl+p finds any of them by name.", style="not bold")
    return text
