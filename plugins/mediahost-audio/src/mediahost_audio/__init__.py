"""mediahost-audio: loudness, silence and beats of recordings, and normalised copies.

FFmpeg and numpy are loaded by the first action that runs, not with this module, so that listing
plugins stays quick.
"""

from mediahost import Action, hookimpl
from mediahost_audio.actions import Beats, Loudness, Normalize, Silence

__all__ = ["Beats", "Loudness", "Normalize", "Silence"]


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """The four actions of this plugin."""
    return [Loudness, Normalize, Silence, Beats]
