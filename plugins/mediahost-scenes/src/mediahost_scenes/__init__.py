"""mediahost-scenes: where one shot of a film ends and the next begins.

FFmpeg and numpy are loaded by the first action that runs, not with this module, so that listing
plugins stays quick.
"""

from mediahost import Action, hookimpl
from mediahost_scenes.actions import Detect

__all__ = ["Detect"]


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """The action of this plugin."""
    return [Detect]
