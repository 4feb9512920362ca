"""A whole plugin: how large is a media file for each second of it.

Try it before it is installed:

    export MEDIAHOST_PLUGINS=examples/04_write_a_plugin.py
    mediahost plugins show example.density
    mediahost run examples/media --action example.density:unit=kB
"""

from typing import Literal

from pydantic import Field

from mediahost import (
    Action,
    Analyzer,
    Context,
    InvalidMedia,
    MediaAnalysisResult,
    MediaFile,
    hookimpl,
)

BYTES = {"B": 1, "kB": 1000}


class Density(Analyzer, name="example.density", version=1, accepts={"audio", "video"}):
    """How many bytes a second of a recording takes."""

    unit: Literal["B", "kB"] = Field("B", description="What to count in")

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Divide the file's size by its duration."""
        duration = context.probe(media).duration
        if not duration:
            raise InvalidMedia("It has no duration", "Only recordings can be measured.")
        size = media.path.stat().st_size
        return MediaAnalysisResult(metadata={"per_second": size / duration / BYTES[self.unit]})


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the action to the host."""
    return [Density]
