"""A copy of the sound being written."""

from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple, cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container.core import Flags

from mediahost import InvalidMedia
from mediahost_audio.chain import Chain
from mediahost_audio.sound import Sound, shown

FormatName = Literal["flac", "wav", "m4a", "mp3", "opus"]

# What describes the old file's container, not the work in it.
_CONTAINER_TAGS = frozenset(
    {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "handler_name"}
)


class _Format(NamedTuple):
    """How a format is written: FFmpeg's names of muxer, encoder and sample format.

    `codec_24` and `sample_format_24` are for sources of more than 16 bits.
    """

    muxer: str
    codec: str
    sample_format: str
    codec_24: str
    sample_format_24: str
    most_channels: int = 8
    lossy: bool = False


FORMATS: dict[FormatName, _Format] = {
    "flac": _Format("flac", "flac", "s16", "flac", "s32"),
    "wav": _Format("wav", "pcm_s16le", "s16", "pcm_s24le", "s32"),
    "m4a": _Format("ipod", "aac", "fltp", "aac", "fltp", lossy=True),
    # libmp3lame also takes s32p, at twice the time.
    "mp3": _Format("mp3", "libmp3lame", "s16p", "libmp3lame", "fltp", 2, lossy=True),
    "opus": _Format("opus", "libopus", "flt", "libopus", "flt", lossy=True),
}


class Copy:
    """A sound file being written.

    Args:
        target: Where to.
        format_name: Which format.
        first: The source's first frame: rate and channels are known by it.
        sound: The source, for its tags and how many bits it holds.
        bit_rate: In bit/s, for lossy formats.

    Raises:
        InvalidMedia: The format takes no such sound.
    """

    def __init__(
        self,
        target: Path,
        format_name: FormatName,
        *,
        first: AudioFrame,
        sound: Sound,
        bit_rate: int,
    ) -> None:
        written = FORMATS[format_name]
        wide = sound.bits > 16  # noqa: PLR2004 - bits
        codec = written.codec_24 if wide else written.codec
        self._first = first
        self._sample_format = written.sample_format_24 if wide else written.sample_format
        self._layout = first.layout.name
        self._container = av.open(f"file:{target}", "w", format=written.muxer)
        # The same input and config give the same bytes: no random ids, no date, no version.
        self._container.flags |= cast("int", Flags.bitexact.value)
        for name, value in sound.tags.items():
            if name.lower() not in _CONTAINER_TAGS:
                self._container.metadata.setdefault(name, value)
        try:
            self._stream = cast(
                "AudioStream",
                self._container.add_stream(
                    codec, rate=_rate(codec, first.sample_rate), layout=self._layout
                ),
            )
            self._stream.codec_context.format = self._sample_format
            if written.lossy:
                self._stream.codec_context.bit_rate = bit_rate
            self._stream.codec_context.open()
        except Exception as error:
            self.close()
            reason = getattr(error, "strerror", None) or str(error)
            raise InvalidMedia(
                f"The sound of {shown(sound.path)} can't be written as {format_name}: {reason}",
                "Choose another format, such as flac.",
            ) from error
        self._chain: Chain | None = None

    def filter(self, filters: list[tuple[str, str]]) -> None:
        """Send all frames through these filters."""
        size = self._stream.codec_context.frame_size or 4096
        rate = self._stream.codec_context.sample_rate
        wanted = (
            f"sample_fmts={self._sample_format}",
            f"channel_layouts={self._layout}",
            f"sample_rates={rate}",
        )
        self._chain = Chain(
            self._first,
            *filters,
            # Rounding to 16 bits without noise distorts what is quiet. It is the same each time.
            ("aresample", f"{rate}:osf={self._sample_format}:dither_method=triangular"),
            ("aformat", ":".join(wanted)),
            ("asetnsamples", f"n={size}:p=0"),
        )

    def take(self, frame: AudioFrame | None) -> None:
        """Write the frame."""
        if self._chain is None:
            return
        for made in self._chain.take(frame):
            self._container.mux(self._stream.encode(made))

    def finish(self) -> None:
        """Write what is still being worked on, and the file's end."""
        self.take(None)
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def close(self) -> None:
        """Let go of the file, whole or not."""
        with suppress(Exception):  # only the first error matters
            self._container.close()


def _rate(codec: str, wanted: int) -> int:
    """The sample rate that the encoder takes: the same, or the next higher, or its highest."""
    rates = av.Codec(codec, "w").audio_rates
    if not rates or wanted in rates:
        return wanted
    return min((rate for rate in rates if rate > wanted), default=max(rates))
