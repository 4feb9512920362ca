"""The three actions and their configs."""

from abc import ABC
from typing import Literal, Self

from pydantic import Field, model_validator

from mediahost import (
    Analyzer,
    Context,
    CueRules,
    MediaAnalysisResult,
    MediaFile,
    MediaKind,
    MediaProcessingResult,
    Processor,
)

SPOKEN = frozenset({MediaKind.VIDEO, MediaKind.AUDIO})


class Cutting(Processor, ABC):
    """How speech is cut into subtitles."""

    max_line: int = Field(42, ge=8, le=200, description="Characters in a line")
    max_lines: int = Field(2, ge=1, le=4, description="Lines in a subtitle")
    max_chars_per_s: float = Field(
        20, ge=5, le=100, description="Reading speed, in characters per second"
    )
    min_s: float = Field(1, ge=0, le=10, description="A subtitle stays at least so many seconds")
    max_s: float = Field(7, ge=1, le=60, description="A subtitle stays at most so many seconds")
    pause_s: float = Field(
        0.8, ge=0.1, le=10, description="After so many seconds of silence a new subtitle begins"
    )

    @model_validator(mode="after")
    def _it_stays_longest_after_shortest(self) -> Self:
        if self.min_s > self.max_s:
            raise ValueError(f"min_s ({self.min_s:g}) can't be more than max_s ({self.max_s:g})")
        return self

    @property
    def rules(self) -> CueRules:
        """By what speech is cut into subtitles."""
        return CueRules(
            max_line=self.max_line,
            max_lines=self.max_lines,
            max_chars_per_s=self.max_chars_per_s,
            min_s=self.min_s,
            max_s=self.max_s,
            pause_s=self.pause_s,
        )


class Export(Cutting, name="subtitles.export", version=2, accepts=SPOKEN):
    """Write subtitles of what a step before has transcribed: SRT, WebVTT or ASS.

    Metadata: `cues` (how many subtitles), `too_fast` (how many stay too short a time for
    max_chars_per_s because the next one follows), `chars_per_s` (the fastest), `language`.
    """

    format: Literal["srt", "vtt", "ass"] = Field("srt", description="Format of the subtitles")

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        """Write the file.

        Raises:
            InvalidMedia: No step before has transcribed the file.
        """
        from mediahost_subtitles.export import export  # noqa: PLC0415 - pay only when used

        return export(self, media, context)


class Burn(Cutting, name="subtitles.burn", version=3, accepts={MediaKind.VIDEO}):
    """Write a film with what a step before has transcribed in its pictures, for any player.

    The result is an mp4 (H.264); sound is copied where an mp4 takes it, else it becomes AAC.

    Metadata: `cues` (how many subtitles), `burned` (how many of them are seen), `language`,
    `width` and `height` in pixels, `frames`, `duration` in seconds.
    """

    size: float = Field(
        0.055, ge=0.02, le=0.2, description="Size of the letters, as a share of the height"
    )
    font: str | None = Field(
        None, description="A .ttf or .otf file; None: a typeface with Latin letters only"
    )
    crf: int = Field(20, ge=0, le=51, description="Quality of the pictures; lower is better")
    preset: Literal["ultrafast", "veryfast", "medium", "slow"] = Field(
        "medium", description="How much work is put into small files"
    )

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        """Write the film.

        Raises:
            InvalidMedia: No step before has transcribed it, it can't be decoded, or the font
                can't be read.
        """
        from mediahost_subtitles.burn import burn  # noqa: PLC0415 - loads FFmpeg and numpy

        return burn(self, media, context)


class Read(Analyzer, name="subtitles.read", version=2, accepts={MediaKind.VIDEO}):
    """Read the subtitles that a film carries: ranges labelled `subtitle` and a transcription.

    Each range's payload has its `text`. Metadata: `subtitles` (how many), `language`, `codec`,
    `tracks` (the languages of all tracks of text, None where it isn't told).
    """

    language: str | None = Field(
        None,
        pattern="^[a-z]{2,3}$",
        description="Language of the track, as the film calls it, such as eng; None: the first",
    )

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Read one track.

        Raises:
            InvalidMedia: The film has no subtitles of text, or none in the language.
        """
        from mediahost_subtitles.read import read  # noqa: PLC0415 - loads FFmpeg

        return read(self, media, context)
