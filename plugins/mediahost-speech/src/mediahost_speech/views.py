"""How results look in the TUI. Loaded by the TUI alone."""

from textual.widget import Widget

from mediahost.tui.parts import Facts, Parts, axis_of, transcript_of
from mediahost.tui.views import Shown


def heard(shown: Shown) -> Widget:
    """Where somebody speaks, on the axis of all that is known, and what they say."""
    stored = shown.stored
    return Parts(axis_of(shown), transcript_of(stored), Facts(stored.result.metadata))


VIEWS = {"speech.vad": heard, "speech.transcribe": heard}
