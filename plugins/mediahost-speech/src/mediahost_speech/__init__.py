"""Speech in recordings and films, for mediahost."""

from mediahost import Action, hookimpl
from mediahost_speech.vad import SpeechVad


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host this plugin's actions."""
    return [SpeechVad]
