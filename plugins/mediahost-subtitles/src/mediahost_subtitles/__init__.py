"""mediahost-subtitles: subtitles out of transcriptions, and those that films carry.

FFmpeg is loaded by the first `subtitles.read`, not with this module, so that listing plugins stays
quick.
"""

from mediahost import Action, hookimpl
from mediahost_subtitles.actions import Export, Read

__all__ = ["Export", "Read"]


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """The two actions of this plugin."""
    return [Export, Read]
