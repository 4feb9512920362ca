"""Speech in recordings and films, for mediahost."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mediahost import Action, hookimpl
from mediahost_speech.transcribe import Transcribe
from mediahost_speech.vad import SpeechVad

if TYPE_CHECKING:
    from mediahost.plugin.models import PinnedModel


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host this plugin's actions."""
    return [SpeechVad, Transcribe]


@hookimpl
def mediahost_register_views() -> Mapping[str, Any]:
    """How results look in the TUI."""
    from mediahost_speech.views import VIEWS  # noqa: PLC0415 - loads Textual

    return VIEWS


@hookimpl
def mediahost_register_models() -> "Iterable[PinnedModel]":
    """The speech models that are known by name."""
    from mediahost_speech.known import DETECTOR, KNOWN  # noqa: PLC0415 - for one command alone

    return (*KNOWN.values(), DETECTOR)
