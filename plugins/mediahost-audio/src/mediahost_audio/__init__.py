"""mediahost-audio: loudness, silence and beats of recordings, and normalised copies.

FFmpeg and numpy are loaded by the first action that runs, not with this module, so that listing
plugins stays quick.
"""

from collections.abc import Mapping
from typing import Any

from mediahost import Action, hookimpl
from mediahost_audio.actions import Beats, Chapters, Loudness, Normalize, Silence

__all__ = ["Beats", "Chapters", "Loudness", "Normalize", "Silence"]


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """The five actions of this plugin."""
    return [Loudness, Normalize, Silence, Chapters, Beats]


@hookimpl
def mediahost_register_views() -> Mapping[str, Any]:
    """How results look in the TUI."""
    from mediahost_audio.views import VIEWS  # noqa: PLC0415 - loads Textual

    return VIEWS
