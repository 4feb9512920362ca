"""How results look in the TUI. Loaded by the TUI alone."""

from collections.abc import Mapping
from typing import Any

from textual.widget import Widget

from mediahost.tui.parts import Facts, FactTable, Files, Parts, pictures_of
from mediahost.tui.views import Shown


def probe(shown: Shown) -> Widget:
    """The streams side by side, the container's facts, its tags."""
    found: dict[str, Any] = dict(shown.stored.result.metadata)
    streams = found.pop("streams", None) or []
    tags = found.pop("tags", None) or {}
    things: list[Mapping[str, Any]] = [each for each in streams if isinstance(each, Mapping)]
    return Parts(
        FactTable(things, "stream") if things else None,
        Facts(found),
        Facts({"tags": tags}) if tags else None,
    )


def contact_sheet(shown: Shown) -> Widget:
    """The sheet itself."""
    result = shown.stored.result
    made = Files(result) if result.kind == "processing" else None
    return Parts(*pictures_of(shown), made)


VIEWS = {"av.probe": probe, "av.contact_sheet": contact_sheet}
