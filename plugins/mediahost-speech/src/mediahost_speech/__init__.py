"""Speech in recordings and films, for mediahost."""

from collections.abc import Mapping
from typing import Any

from mediahost import Action, hookimpl
from mediahost_speech.transcribe import Transcribe
from mediahost_speech.vad import SpeechVad


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host this plugin's actions."""
    return [SpeechVad, Transcribe]


@hookimpl
def mediahost_register_views() -> Mapping[str, Any]:
    """How results look in the TUI."""
    from mediahost_speech.views import VIEWS  # noqa: PLC0415 - loads Textual

    return VIEWS
