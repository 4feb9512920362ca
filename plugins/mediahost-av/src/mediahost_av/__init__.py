"""mediahost-av: probe, convert, cut and sketch films and recordings with FFmpeg's libraries.

FFmpeg itself is loaded by the first action that runs, not with this module, so that listing
plugins stays quick.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mediahost import Action, MediaInfo, hookimpl
from mediahost_av.actions import ContactSheet, Convert, ExtractAudio, ExtractSegment, Probe
from mediahost_av.sketches import Frames, Thumbnail, Waveform

__all__ = [
    "ContactSheet",
    "Convert",
    "ExtractAudio",
    "ExtractSegment",
    "Frames",
    "Probe",
    "Thumbnail",
    "Waveform",
]


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """The eight actions of this plugin."""
    return [
        Probe,
        Convert,
        ExtractAudio,
        ExtractSegment,
        Frames,
        Thumbnail,
        ContactSheet,
        Waveform,
    ]


@hookimpl
def mediahost_probe_media(path: Path) -> MediaInfo | None:
    """What FFmpeg says is in the file, or None if it can't read it."""
    from mediahost_av.probe import info_or_none  # noqa: PLC0415 - loads FFmpeg

    return info_or_none(path)


@hookimpl
def mediahost_register_views() -> Mapping[str, Any]:
    """How results look in the TUI."""
    from mediahost_av.views import VIEWS  # noqa: PLC0415 - loads Textual

    return VIEWS
