"""The question what shall wait: all jobs, those of an action, those of a source."""

from collections.abc import Collection
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from mediahost.model.paths import display
from mediahost.model.pause import Pause, PauseKind
from mediahost.tui.moves import MOVES
from mediahost.tui.words import fit

WIDTH = 56


class PauseQuestion(ModalScreen[Pause | None]):
    """Answered with what is to be paused, or resumed if it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", show=False),
        *MOVES,
    ]
    DEFAULT_CSS = """
    PauseQuestion { align: center middle; }
    PauseQuestion > Vertical { width: 64; max-width: 90%; height: auto; padding: 1 2;
        background: $surface; border: round $border; }
    PauseQuestion OptionList { height: auto; border: none; padding: 0; background: $surface; }
    PauseQuestion OptionList:focus { border: none; }
    """

    def __init__(self, asked: Collection[Pause], paused: Collection[Pause]) -> None:
        super().__init__()
        self._asked = [*asked, *(one for one in paused if one not in asked)]
        self._paused = paused

    def compose(self) -> ComposeResult:
        """What there is to choose from, and what of it is paused."""
        with Vertical():
            yield Static(Text("No host takes up what is paused; jobs that run go on.\n"))
            yield OptionList(*(Option(self._title(one)) for one in self._asked))

    def _title(self, one: Pause) -> Text:
        what = "all jobs" if one.kind is PauseKind.ALL else f"{one.kind} {display(one.name)}"
        does = "Resume" if one in self._paused else "Pause"
        return Text(fit(f"{does} {what}", WIDTH).rstrip())

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """The answer."""
        event.stop()
        self.dismiss(self._asked[event.option_index])

    def action_leave(self) -> None:
        """Nothing is paused."""
        self.dismiss(None)
