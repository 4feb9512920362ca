"""The actions that make pictures of a file, but for the contact sheet, and their configs."""

from typing import Literal, Self

from pydantic import Field, model_validator

from mediahost import Context, MediaFile, MediaKind, MediaProcessingResult, Processor

FILM = frozenset({MediaKind.VIDEO})
HAS_SOUND = frozenset({MediaKind.VIDEO, MediaKind.AUDIO})

COLOR = r"#[0-9a-fA-F]{6}"


class Frames(Processor, name="av.frames", version=2, accepts=FILM):
    """Write frames of a film as pictures: at regular times, at given ones, or one for each scene.

    Give one of every_s, times, count and ranges; none: every 10 s.
    """

    every_s: float = Field(10, gt=0, le=86_400, description="A frame every so many seconds")
    times: tuple[float, ...] = Field(
        (), max_length=10_000, description="Frames at these times, in seconds from the beginning"
    )
    count: int | None = Field(
        None, ge=1, le=10_000, description="So many frames from all over the film"
    )
    ranges: bool = Field(
        default=False,
        description="A frame from the middle of each time range that steps before found",
    )
    format: Literal["jpeg", "png", "webp"] = Field("jpeg", description="Format of the pictures")
    quality: int = Field(90, ge=1, le=95, description="Of JPEG and WebP; higher is better")
    max_width: int | None = Field(
        None, ge=16, le=16_384, description="Pixels; wider pictures are scaled down, in proportion"
    )
    max_height: int | None = Field(
        None, ge=16, le=16_384, description="Pixels; higher pictures are scaled down, in proportion"
    )
    max_frames: int = Field(
        1000, ge=1, le=10_000, description="A film that would give more frames is refused"
    )

    @model_validator(mode="after")
    def _there_is_one_choice_of_times(self) -> Self:
        given = [name for name in ("times", "count", "ranges") if getattr(self, name)]
        if "every_s" in self.model_fields_set and self.every_s != self._usual_step():
            given.insert(0, "every_s")
        if len(given) > 1:
            raise ValueError(f"give {given[0]} or {given[1]}, not both")
        if any(seconds < 0 for seconds in self.times):
            raise ValueError("times count from the film's beginning and can't be negative")
        return self

    @classmethod
    def _usual_step(cls) -> float:
        return float(cls.model_fields["every_s"].default)

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        """Write the frames; see `mediahost_av.frames.frames`."""
        from mediahost_av.frames import frames  # noqa: PLC0415 - loads FFmpeg

        return frames(self, media, context)


class Thumbnail(Processor, name="av.thumbnail", version=2, accepts=FILM):
    """Write one picture that stands for a film: the richest of twelve from all over it."""

    at_s: float | None = Field(
        None, ge=0, description="The picture at this time instead, in seconds from the beginning"
    )
    format: Literal["jpeg", "png", "webp"] = Field("jpeg", description="Format of the picture")
    quality: int = Field(85, ge=1, le=95, description="Of JPEG and WebP; higher is better")
    max_width: int | None = Field(
        640, ge=16, le=16_384, description="Pixels; a wider picture is scaled down, in proportion"
    )
    max_height: int | None = Field(
        None, ge=16, le=16_384, description="Pixels; a higher picture is scaled down, in proportion"
    )

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        """Write the picture; see `mediahost_av.thumbnail.thumbnail`."""
        from mediahost_av.thumbnail import thumbnail  # noqa: PLC0415 - loads FFmpeg

        return thumbnail(self, media, context)


class Waveform(Processor, name="av.waveform", version=2, accepts=HAS_SOUND):
    """Draw the sound of a film or a recording over time, all channels in one."""

    width: int = Field(1200, ge=16, le=8_192, description="Of the picture, in pixels")
    height: int = Field(240, ge=16, le=2_160, description="Of the picture, in pixels")
    color: str = Field("#2a6fb0", pattern=f"^{COLOR}$", description="Of the waveform, as #rrggbb")
    background: str = Field(
        "transparent",
        pattern=f"^(transparent|{COLOR})$",
        description="Behind the waveform, as #rrggbb, or transparent",
    )
    fill: bool = Field(
        default=False, description="Scale it so that its loudest moment reaches the edge"
    )
    format: Literal["png", "webp"] = Field("png", description="Format of the picture")

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        """Draw the waveform; see `mediahost_av.waveform.waveform`."""
        from mediahost_av.waveform import waveform  # noqa: PLC0415 - loads FFmpeg and numpy

        return waveform(self, media, context)
