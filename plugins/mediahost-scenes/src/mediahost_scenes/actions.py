"""The action and its config. The work is done in modules that load FFmpeg and numpy."""

from typing import Literal

from pydantic import Field

from mediahost import Analyzer, Context, MediaAnalysisResult, MediaFile, MediaKind


class Detect(Analyzer, name="scenes.detect", version=3, accepts={MediaKind.VIDEO}):
    """Find the scenes (shots) of a film: ranges labelled `scene`, one after the other.

    A scene begins with the film, with a cut, or with a fade through black. Each range's payload
    has `begins_with` (start, cut or fade) and `change`, how much of the picture changed there
    beyond what moved around it, in the unit of `threshold`; 0 for start and fade.

    Metadata: `scenes` (how many), `cuts` (when scenes begin, without the first, in seconds),
    `mean_scene_s`, `duration` in seconds, `frames` (how many were looked at).
    """

    threshold: float = Field(
        12,
        ge=2,
        le=100,
        description="How much the picture must change to be cut, on a scale of 0 to 255; "
        "lower finds more",
    )
    min_scene_s: float = Field(
        0.6, ge=0, le=600, description="Shorter scenes belong to the one before, in seconds"
    )
    fades: bool = Field(default=True, description="A fade through black begins a scene too")
    mode: Literal["exact", "fast"] = Field(
        "exact",
        description="exact looks at every frame; fast only at those that others are built on, "
        "and may be a few frames late",
    )

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Look at the whole film.

        Raises:
            InvalidMedia: It has no picture, or it can't be decoded.
        """
        from mediahost_scenes.detect import detect  # noqa: PLC0415 - loads FFmpeg and numpy

        return detect(self, media, context)
