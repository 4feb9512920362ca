"""How results look in the TUI. Loaded by the TUI alone."""

from pathlib import Path

from textual.widget import Widget

from mediahost.model.paths import url_to_path
from mediahost.tui.parts import Facts, Files, Parts, is_picture, pictures_of
from mediahost.tui.picture import Picture
from mediahost.tui.views import Shown


def info(shown: Shown) -> Widget:
    """What is known of the picture, below the picture."""
    path = Path(url_to_path(shown.job.media_url))
    seen = Picture(path, most_lines=16) if shown.pictures and is_picture(path) else None
    return Parts(seen, Facts(shown.stored.result.metadata))


def thumbnail(shown: Shown) -> Widget:
    """The thumbnail itself."""
    result = shown.stored.result
    made = Files(result) if result.kind == "processing" else None
    return Parts(*pictures_of(shown), made, Facts(result.metadata))


VIEWS = {"images.info": info, "images.thumbnail": thumbnail}
