"""The actions that read and write films and recordings, and their configs.

The work is done in modules that load FFmpeg on first use.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from mediahost import (
    Analyzer,
    Context,
    MediaAnalysisResult,
    MediaFile,
    MediaKind,
    MediaProcessingResult,
    Processor,
)
from mediahost_av.formats import (
    AUDIO_CODECS,
    FORMATS,
    VIDEO_CODECS,
    AudioCodecName,
    AudioFormatName,
    Effort,
    FormatName,
    VideoCodecName,
)

SOUND_OR_PICTURES = frozenset({MediaKind.VIDEO, MediaKind.AUDIO})
MAX_SHEET_SIDE = 16_383  # pixels; the most that WebP can hold, the least of the three formats


class Probe(
    Analyzer,
    name="av.probe",
    version=3,
    accepts=SOUND_OR_PICTURES | {MediaKind.IMAGE},
):
    """Tell container, duration, streams, tags and chapters."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Read the header; see `mediahost_av.probe.probe` for the keys of the metadata."""
        from mediahost_av.probe import probe  # noqa: PLC0415 - loads FFmpeg

        return probe(media, context)


class Convert(Processor, name="av.convert", version=3, accepts=SOUND_OR_PICTURES):
    """Convert a film or a recording to another format, codec, size or rate."""

    format: FormatName = Field("mp4", description="Container of the new file")
    video_codec: VideoCodecName | Literal["copy", "none"] | None = Field(
        None, description="Picture codec; copy keeps it as it is, none drops it; None: format's own"
    )
    audio_codec: AudioCodecName | Literal["copy", "none"] | None = Field(
        None, description="Sound codec; copy keeps it as it is, none drops it; None: format's own"
    )
    effort: Effort = Field(
        "balanced", description="How long the picture encoder searches for a smaller file"
    )
    crf: int | None = Field(
        None, ge=0, le=63, description="Picture quality, lower is better; None: the codec's own"
    )
    video_bitrate: int | None = Field(
        None, ge=16, le=200_000, description="Picture bit rate in kbit/s, instead of crf"
    )
    audio_bitrate: int | None = Field(
        None, ge=6, le=1_536, description="Sound bit rate in kbit/s; None: by codec and channels"
    )
    max_width: int | None = Field(
        None, ge=16, le=16_384, description="Pixels; wider pictures are scaled down, in proportion"
    )
    max_height: int | None = Field(
        None, ge=16, le=16_384, description="Pixels; higher pictures are scaled down, in proportion"
    )
    sample_rate: int | None = Field(
        None, ge=8_000, le=192_000, description="Samples per second; None: the source's"
    )
    channels: int | None = Field(
        None, ge=1, le=8, description="Sound channels; None: the source's, as far as they fit"
    )

    sounds: str = Field(
        "all",
        min_length=1,
        max_length=100,
        description="Which sounds: all, a number from 1, a language such as en, or part of a title",
    )
    subtitles: str = Field(
        "all",
        min_length=1,
        max_length=100,
        description="Which subtitles: all, none, a number from 1, a language, or part of a title",
    )

    @property
    def video(self) -> VideoCodecName | Literal["copy"] | None:
        """The picture codec to write, or None for none."""
        if self.video_codec is not None:
            return None if self.video_codec == "none" else self.video_codec
        return next(iter(FORMATS[self.format].video), None)

    @property
    def audio(self) -> AudioCodecName | Literal["copy"] | None:
        """The sound codec to write, or None for none."""
        if self.audio_codec is not None:
            return None if self.audio_codec == "none" else self.audio_codec
        return FORMATS[self.format].audio[0]

    @model_validator(mode="after")
    def _codecs_fit_the_format(self) -> Self:
        container = FORMATS[self.format]
        if self.video is not None and not container.video:
            raise ValueError(f"{self.format} holds sound only, so video_codec must be none")
        if self.video not in (None, "copy", *container.video):
            raise ValueError(
                f"{self.format} takes no {self.video}; it takes {', '.join(container.video)}"
            )
        if self.audio not in (None, "copy", *container.audio):
            raise ValueError(
                f"{self.format} takes no {self.audio}; it takes {', '.join(container.audio)}"
            )
        if self.video is None and self.audio is None:
            raise ValueError("without picture and sound there is nothing to write")
        return self

    @model_validator(mode="after")
    def _picture_fields_mean_something(self) -> Self:
        given = [
            name
            for name in ("crf", "video_bitrate", "max_width", "max_height")
            if getattr(self, name) is not None
        ]
        if given and self.video in (None, "copy"):
            why = "is copied as it is" if self.video else "is left out"
            raise ValueError(f"{given[0]} makes no sense where the picture {why}")
        if self.crf is not None and self.video_bitrate is not None:
            raise ValueError("give crf or video_bitrate, not both")
        if self.crf is not None and self.video is not None and self.video != "copy":
            worst = VIDEO_CODECS[self.video].max_crf
            if self.crf > worst:
                raise ValueError(f"crf of {self.video} goes from 0 to {worst}")
        return self

    @model_validator(mode="after")
    def _sound_fields_mean_something(self) -> Self:
        given = [
            name
            for name in ("audio_bitrate", "sample_rate", "channels")
            if getattr(self, name) is not None
        ]
        if self.audio is None or self.audio == "copy":
            if given:
                why = "is copied as it is" if self.audio else "is left out"
                raise ValueError(f"{given[0]} makes no sense where the sound {why}")
            return self
        _check_sound(self.audio, self.audio_bitrate, self.sample_rate, self.channels)
        return self

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        """Write the new file; see `mediahost_av.convert.convert`."""
        from mediahost_av.convert import convert  # noqa: PLC0415 - loads FFmpeg

        return convert(self, media, context)


class ExtractAudio(Processor, name="av.extract_audio", version=3, accepts=SOUND_OR_PICTURES):
    """Take the sound out of a film: copied without loss, unless something else is asked for."""

    format: AudioFormatName | None = Field(
        None, description="Format of the new file; None: where the source's codec is at home"
    )
    audio_bitrate: int | None = Field(
        None, ge=6, le=1_536, description="Sound bit rate in kbit/s; None: by codec and channels"
    )
    sample_rate: int | None = Field(
        None, ge=8_000, le=192_000, description="Samples per second; None: the source's"
    )
    channels: int | None = Field(
        None, ge=1, le=8, description="Sound channels; None: the source's, as far as they fit"
    )

    sound: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Which sound: a number from 1, a language such as en, or part of a title; "
        "None: the one that a player would choose",
    )

    @property
    def changes_sound(self) -> bool:
        """Whether something is asked for that a copy can't give."""
        return (self.audio_bitrate, self.sample_rate, self.channels) != (None, None, None)

    @model_validator(mode="after")
    def _the_format_takes_it(self) -> Self:
        if self.format is not None:
            codec = FORMATS[self.format].audio[0]
            _check_sound(codec, self.audio_bitrate, self.sample_rate, self.channels)
        return self

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        """Write the sound; see `mediahost_av.extract_audio.extract_audio`."""
        from mediahost_av.extract_audio import extract_audio  # noqa: PLC0415 - loads FFmpeg

        return extract_audio(self, media, context)


class ExtractSegment(Processor, name="av.extract_segment", version=2, accepts=SOUND_OR_PICTURES):
    """Cut a stretch of time out of a film or a recording."""

    start: float = Field(0.0, ge=0, description="Seconds from the beginning")
    end: float | None = Field(
        None, gt=0, description="Seconds from the beginning, not included; None: to the end"
    )
    duration: float | None = Field(None, gt=0, description="Seconds, instead of end")
    mode: Literal["exact", "fast"] = Field(
        "exact",
        description="exact cuts at the very moment and encodes anew; fast copies without loss "
        "from the keyframe before",
    )
    format: FormatName | None = Field(
        None, description="Container of the new file; None: the source's, or mkv if not ours"
    )
    crf: int | None = Field(
        None,
        ge=0,
        le=51,
        description="Picture quality of exact cuts, lower is better; None: the codec's own",
    )

    @property
    def until(self) -> float | None:
        """Where the segment ends, in seconds from the beginning; None: with the file."""
        return self.start + self.duration if self.duration is not None else self.end

    @model_validator(mode="after")
    def _it_ends_after_it_starts(self) -> Self:
        if self.end is not None and self.duration is not None:
            raise ValueError("give end or duration, not both")
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"it can't end ({self.end:g} s) before it starts ({self.start:g} s)")
        return self

    @model_validator(mode="after")
    def _copies_have_the_quality_they_have(self) -> Self:
        if self.mode == "fast" and self.crf is not None:
            raise ValueError("crf makes no sense in fast mode, which copies")
        return self

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        """Write the segment; see `mediahost_av.segment.extract_segment`."""
        from mediahost_av.segment import extract_segment  # noqa: PLC0415 - loads FFmpeg

        return extract_segment(self, media, context)


class ContactSheet(
    Processor, name="av.contact_sheet", version=2, accepts=frozenset({MediaKind.VIDEO})
):
    """Lay pictures from all over a film out on one sheet."""

    columns: int = Field(4, ge=1, le=20, description="Pictures side by side")
    rows: int = Field(4, ge=1, le=50, description="Pictures one below the other")
    tile_width: int = Field(320, ge=32, le=1_920, description="Width of a picture, in pixels")
    gap: int = Field(4, ge=0, le=64, description="Space between pictures, in pixels")
    labels: bool = Field(default=True, description="Write its time into each picture")
    format: Literal["jpeg", "png", "webp"] = Field("jpeg", description="Format of the sheet")
    quality: int = Field(85, ge=1, le=95, description="Of JPEG and WebP; higher is better")

    @model_validator(mode="after")
    def _it_fits_on_a_sheet(self) -> Self:
        width = self.columns * self.tile_width + (self.columns + 1) * self.gap
        if width > MAX_SHEET_SIDE:
            raise ValueError(
                f"the sheet would be {width} pixels wide; {MAX_SHEET_SIDE} is the most"
            )
        return self

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        """Draw the sheet; see `mediahost_av.contact_sheet.contact_sheet`."""
        from mediahost_av.contact_sheet import contact_sheet  # noqa: PLC0415 - loads FFmpeg

        return contact_sheet(self, media, context)


def _check_sound(
    name: AudioCodecName, kbits: int | None, sample_rate: int | None, channels: int | None
) -> None:
    codec = AUDIO_CODECS[name]
    if kbits is not None and codec.kbits_per_channel is None:
        raise ValueError(f"{name} is lossless, so audio_bitrate makes no sense")
    if channels is not None and channels > codec.max_channels:
        raise ValueError(f"{name} holds {codec.max_channels} channels at most")
    rates = codec.sample_rates
    if sample_rate is not None and rates and sample_rate not in rates:
        listing = ", ".join(map(str, rates))
        raise ValueError(f"{name} takes these sample rates: {listing}")
