"""How results look in the TUI. Loaded by the TUI alone."""

from collections.abc import Mapping
from typing import Any

from textual.widget import Widget

from mediahost.tui.parts import Facts, Files, Pages, Parts, pictures_of
from mediahost.tui.views import Shown


def text(shown: Shown) -> Widget:
    """The text, page by page."""
    found: dict[str, Any] = dict(shown.stored.result.metadata)
    pages = found.pop("pages", None) or []
    read: list[Mapping[str, Any]] = [page for page in pages if isinstance(page, Mapping)]
    return Parts(Facts(found), Pages(read))


def pictures(shown: Shown) -> Widget:
    """The pages as pictures."""
    result = shown.stored.result
    made = Files(result) if result.kind == "processing" else None
    return Parts(*pictures_of(shown), made)


VIEWS = {
    "documents.text": text,
    "documents.pages": pictures,
    "documents.contact_sheet": pictures,
}
