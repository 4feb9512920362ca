"""Pictures, for mediahost: what is in them, thumbnails, and hashes that find look-alikes.

Pillow is loaded by the first action that runs, not with this module.
"""

from collections.abc import Mapping
from typing import Any

from mediahost import Action, hookimpl
from mediahost_images.info import Info
from mediahost_images.phash import PerceptualHash
from mediahost_images.thumbnail import Thumbnail

__all__ = ["Info", "PerceptualHash", "Thumbnail"]


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host this plugin's actions."""
    return [Info, Thumbnail, PerceptualHash]


@hookimpl
def mediahost_register_views() -> Mapping[str, Any]:
    """How results look in the TUI."""
    from mediahost_images.views import VIEWS  # noqa: PLC0415 - loads Textual

    return VIEWS
