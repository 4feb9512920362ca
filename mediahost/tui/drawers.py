"""Who draws pictures: the TUI itself in half blocks, or a protocol that the terminal has."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.widget import Widget

from mediahost.errors import UsageError
from mediahost.installation import extra_hint
from mediahost.settings import Pictures

if TYPE_CHECKING:
    from PIL.Image import Image

# Makes a widget of a picture.
Drawer = Callable[["Image"], Widget]


def drawer_of(pictures: Pictures) -> Drawer | None:
    """Who draws pictures in this way; None: the TUI itself does.

    The library asks the terminal what it can as soon as it is imported, so this comes before the
    TUI reads keys.

    Raises:
        UsageError: The library is not installed.
    """
    if pictures in ("half", "off"):
        return None
    try:
        from textual_image import widget as drawers  # noqa: PLC0415 - it asks the terminal
    except ImportError:
        raise UsageError(
            f"Pictures by {pictures} need a library that is not installed",
            f"{extra_hint('mediahost', 'pictures')}\nor set tui_pictures to half.",
        ) from None
    known: dict[str, Any] = {
        "auto": drawers.Image,
        "kitty": drawers.TGPImage,
        "sixel": drawers.SixelImage,
    }
    drawer: Drawer = known[pictures]
    return drawer
