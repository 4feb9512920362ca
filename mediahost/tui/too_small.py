"""What is seen on a terminal that is too small for anything else."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Static

LEAST = Size(60, 15)


def is_too_small(size: Size) -> bool:
    """Whether nothing would be readable."""
    return size.width < LEAST.width or size.height < LEAST.height


class TooSmall(ModalScreen[None]):
    """It goes by itself as soon as there is room."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit", "Quit", show=False)]
    DEFAULT_CSS = """
    TooSmall { align: center middle; background: $background; }
    TooSmall Static { width: auto; max-width: 100%; text-align: center; }
    """

    def compose(self) -> ComposeResult:
        """The message."""
        said = f"mediahost needs {LEAST.width} columns and {LEAST.height} lines.\nq quits."
        yield Static(said, markup=False)
