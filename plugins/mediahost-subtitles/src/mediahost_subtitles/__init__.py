"""mediahost-subtitles: subtitles out of transcriptions, and those that films carry.

FFmpeg is loaded by the first job that needs it, not with this module, so that listing plugins stays
quick.
"""

from mediahost import Action, hookimpl
from mediahost_subtitles.actions import Burn, Export, Read

__all__ = ["Burn", "Export", "Read"]


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """The three actions of this plugin."""
    return [Burn, Export, Read]
