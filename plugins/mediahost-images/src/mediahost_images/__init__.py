"""Pictures, for mediahost: what is in them, thumbnails, and hashes that find look-alikes.

Pillow is loaded by the first action that runs, not with this module.
"""

from mediahost import Action, hookimpl
from mediahost_images.info import Info
from mediahost_images.phash import PerceptualHash
from mediahost_images.thumbnail import Thumbnail

__all__ = ["Info", "PerceptualHash", "Thumbnail"]


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host this plugin's actions."""
    return [Info, Thumbnail, PerceptualHash]
