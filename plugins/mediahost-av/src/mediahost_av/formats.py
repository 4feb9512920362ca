"""What can be written: formats and codecs, and which fit together. This module loads no FFmpeg."""

from dataclasses import dataclass
from typing import Literal

FormatName = Literal["mp4", "mkv", "webm", "mp3", "m4a", "opus", "ogg", "flac", "wav"]
VideoCodecName = Literal["h264", "h265", "vp9", "av1"]
AudioFormatName = Literal["mp3", "m4a", "opus", "ogg", "flac", "wav"]
AudioCodecName = Literal["aac", "mp3", "opus", "flac", "pcm"]
Effort = Literal["fast", "balanced", "thorough"]


@dataclass(frozen=True, slots=True)
class VideoCodec:
    """A picture codec that can be written.

    Attributes:
        encoder: FFmpeg's name for what writes it.
        crf: Quality where none is asked for; the encoder's own default.
        max_crf: The worst quality that the encoder knows.
        options: For the encoder, whatever the effort.
        efforts: Options for each effort, from quick to small.
    """

    encoder: str
    crf: int
    max_crf: int
    options: dict[str, str]
    efforts: dict[Effort, dict[str, str]]


@dataclass(frozen=True, slots=True)
class AudioCodec:
    """A sound codec that can be written.

    Attributes:
        encoder: FFmpeg's name for what writes it.
        sample_format: What the encoder is given.
        kbits_per_channel: Bit rate where none is asked for; None: lossless.
        sample_rates: In hertz, rising; empty: any.
        max_channels: How many channels it can hold.
        wide: Encoder and sample format for sources of more than 16 bit; None: the same.
    """

    encoder: str
    sample_format: str
    kbits_per_channel: int | None
    sample_rates: tuple[int, ...] = ()
    max_channels: int = 8
    wide: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """A container that can be written.

    Attributes:
        muxer: FFmpeg's name for what writes it.
        mime_type: Of a file with picture and sound, or of one with sound only.
        video: Picture codecs that it takes, its default first; empty: sound only.
        audio: Sound codecs that it takes, its default first.
        options: For the muxer.
        many: Whether it holds several sounds, and subtitles.
        covers: Whether it holds a cover picture.
    """

    muxer: str
    mime_type: str
    video: tuple[VideoCodecName, ...]
    audio: tuple[AudioCodecName, ...]
    options: dict[str, str]
    many: bool = False
    covers: bool = False


VIDEO_CODECS: dict[VideoCodecName, VideoCodec] = {
    "h264": VideoCodec(
        "libx264",
        23,
        51,
        {},
        {
            "fast": {"preset": "veryfast"},
            "balanced": {"preset": "medium"},
            "thorough": {"preset": "slow"},
        },
    ),
    "h265": VideoCodec(
        "libx265",
        28,
        51,
        # x265 writes to stderr past FFmpeg's log.
        {"x265-params": "log-level=none"},
        {
            "fast": {"preset": "veryfast"},
            "balanced": {"preset": "medium"},
            "thorough": {"preset": "slow"},
        },
    ),
    "vp9": VideoCodec(
        "libvpx-vp9",
        31,
        63,
        {"deadline": "good", "row-mt": "1"},
        {
            "fast": {"cpu-used": "5"},
            "balanced": {"cpu-used": "3"},
            "thorough": {"cpu-used": "1"},
        },
    ),
    "av1": VideoCodec(
        "libsvtav1",
        35,
        63,
        {},
        {
            "fast": {"preset": "11"},
            "balanced": {"preset": "9"},
            "thorough": {"preset": "6"},
        },
    ),
}

AUDIO_CODECS: dict[AudioCodecName, AudioCodec] = {
    "aac": AudioCodec(
        "aac",
        "fltp",
        80,
        (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000),
    ),
    # libmp3lame works in 16 bit and is slower with wider samples.
    "mp3": AudioCodec(
        "libmp3lame",
        "s16p",
        96,
        (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
        2,
    ),
    "opus": AudioCodec("libopus", "flt", 64, (8000, 12000, 16000, 24000, 48000)),
    "flac": AudioCodec("flac", "s16", None, wide=("flac", "s32")),
    "pcm": AudioCodec("pcm_s16le", "s16", None, wide=("pcm_s24le", "s32")),
}

FORMATS: dict[FormatName, Format] = {
    "mp4": Format(
        "mp4",
        "video/mp4",
        ("h264", "h265", "vp9", "av1"),
        ("aac", "mp3", "opus", "flac"),
        {},
        many=True,
        covers=True,
    ),
    "mkv": Format(
        "matroska",
        "video/x-matroska",
        ("h264", "h265", "vp9", "av1"),
        ("aac", "mp3", "opus", "flac", "pcm"),
        {},
        many=True,
        covers=True,
    ),
    "webm": Format("webm", "video/webm", ("vp9", "av1"), ("opus",), {}, many=True),
    "mp3": Format("mp3", "audio/mpeg", (), ("mp3",), {}, covers=True),
    # FFmpeg's own muxer for it, ipod, takes no cover from PyAV.
    "m4a": Format("mp4", "audio/mp4", (), ("aac",), {"brand": "M4A "}, covers=True),
    "opus": Format("opus", "audio/ogg", (), ("opus",), {}),
    "ogg": Format("ogg", "audio/ogg", (), ("opus", "flac"), {}),
    "flac": Format("flac", "audio/flac", (), ("flac",), {}, covers=True),
    # A WAV of more than 4 GB becomes RF64.
    "wav": Format("wav", "audio/wav", (), ("pcm",), {"rf64": "auto"}),
}
