"""How results look in the TUI. Loaded by the TUI alone."""

from typing import Any

from textual.widget import Widget

from mediahost.tui.parts import Facts, Parts, Plot, axis_of
from mediahost.tui.views import Shown

_UNITS = {"momentary_lufs": "LUFS", "short_term_lufs": "LUFS"}


def loudness(shown: Shown) -> Widget:
    """The loudness over time, and the figures of the whole."""
    found: dict[str, Any] = dict(shown.stored.result.metadata)
    series = {name: found.pop(name) for name in _UNITS if isinstance(found.get(name), list)}
    plots = [
        Plot(name.removesuffix("_lufs").replace("_", " "), values, _UNITS[name])
        for name, values in series.items()
    ]
    return Parts(Facts(found), *plots, axis_of(shown))


VIEWS = {"audio.loudness": loudness}
