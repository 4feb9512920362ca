"""The sound of a recording or a film as one unbroken stream of samples, and errors in words.

PyAV raises more than its own errors on damaged files: UnicodeDecodeError, AttributeError,
IndexError, MemoryError and others. So each call into it that reads is guarded here, and nothing
else is, lest a mistake of ours be blamed on the file. FFmpeg takes an error of the disk for the
end or for damage; the reader knows better.
"""

from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard

from mediahost import (
    Completeness,
    Holes,
    InvalidMedia,
    MediaReader,
    promised_duration,
    trusted_formats,
)
from mediahost_audio.chain import Chain

_BUFFER_BYTES = 1 << 17  # for each read of the file
_MICROSECONDS = 1_000_000  # FFmpeg's unit for the times of a container

# Containers round timestamps to milliseconds and encoders pad: less is no gap.
_GAP_S = 0.05
# A timestamp that leaps further is taken for damage, if the header doesn't promise so much.
_LONGEST_GAP_S = 600.0

Floats = np.ndarray[Any, np.dtype[np.float32]]


class Form(NamedTuple):
    """What samples look like: all channels in one plane.

    PyAV's planes are wrong pointers where there are 8 or more of them, and `to_ndarray` goes by
    them, so that planar samples would crash the worker.

    Attributes:
        sample_format: FFmpeg's name of a packed one.
        layout: Of the channels, FFmpeg's name; None: as in the file.
        sample_rate: In hertz; None: as in the file.
        most_channels: Sound of more is mixed to stereo.
    """

    sample_format: Literal["flt", "dbl"]
    layout: str | None = None
    sample_rate: int | None = None
    most_channels: int = 64


class Sound:
    """The best sound stream of a file.

    Attributes:
        path: Where the file is.
        promised_s: Duration in seconds as the header has it, or None.
        end_s: Where the sound that was decoded so far ends, in seconds.
        bits: How many bits a sample of the file holds; 16 for lossy codecs.
        tags: Title, artist and such.
        damages: How many packets could not be decoded so far.

    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.path = path
        self._threads = threads
        self._packets = 0
        self._sure_s: float | None = None
        self._holes = Holes()
        self.promised_s: float | None = None
        self.end_s = 0.0
        self.bits = 16
        self.tags: dict[str, str] = {}
        self.damages = 0

    def frames(self, form: Form) -> Iterator[AudioFrame]:
        """All sound as frames of one form, from the file's beginning on and without a gap.

        Where the file's timestamps leap ahead there is silence. A frame's `pts` counts samples.

        Raises:
            InvalidMedia: It is no regular file, has no sound, or can't be decoded.
            TransientError: The disk or the network failed.
        """
        with closing(MediaReader(self.path)) as reader, _opened(reader) as container:
            with reader.guarded():
                stream = self._stream(container)
                name = container.format.name
                self._sure_s = promised_duration(name, reader, self.promised_s)
                self.tags = {**stream.metadata, **container.metadata}
            timeline: _Timeline | None = None
            for time, frame in self._decoded(reader, container, stream):
                if timeline is None:
                    timeline = _Timeline(form, frame, self.promised_s)
                    self.bits = _bits(frame)
                for made in timeline.add(time, frame):
                    self.end_s = timeline.end_s
                    yield made
            if timeline is not None:
                yield from timeline.finish()
                self.end_s = timeline.end_s
        self._check_heard()

    def share(self) -> float:
        """How much of the promised duration has been decoded, 0 to 1."""
        return min(self.end_s / self.promised_s, 1.0) if self.promised_s else 0.0

    def completeness(self) -> Completeness:
        """How whole the sound that was read is."""
        return Completeness.of_recording(
            self._sure_s, self.end_s, self.damages, self._holes.seconds
        )

    def _stream(self, container: InputContainer) -> AudioStream:
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            raise InvalidMedia(f"{shown(self.path)} has no sound")
        # PyAV's types don't say so, but it is None for codecs that FFmpeg can't decode.
        if getattr(stream, "codec_context", None) is None:
            raise InvalidMedia(f"No decoder knows the sound format of {shown(self.path)}")
        stream.codec_context.thread_count = self._threads
        for other in container.streams:
            # A film's pictures need not even be read.
            if other.index != stream.index:
                other.discard = Discard.all
        if stream.duration is not None and stream.time_base is not None:
            self.promised_s = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            self.promised_s = container.duration / _MICROSECONDS
        if self.promised_s is not None and self.promised_s <= 0:
            self.promised_s = None
        return stream

    def _decoded(
        self, reader: MediaReader, container: InputContainer, stream: AudioStream
    ) -> Iterator[tuple[float | None, AudioFrame]]:
        """Frames with the second at which each begins, if it says so."""
        begin = (container.start_time or 0) / _MICROSECONDS
        packets = container.demux(stream)
        while True:
            with reader.guarded():
                packet = next(packets, None)
            if packet is None:
                return
            self._packets += packet.size > 0
            if packet.pts is not None and packet.duration and packet.time_base is not None:
                start = float(packet.pts * packet.time_base)
                end = start + float(packet.duration * packet.time_base)
                self._holes.add(start, end, is_sound=True)
            try:
                frames = packet.decode()
            except Exception:  # noqa: BLE001 - damaged files raise anything
                reader.check()
                # As players do: one bad packet doesn't spoil an hour.
                self.damages += 1
                continue
            for frame in frames:
                if frame.samples:
                    yield (None if frame.time is None else frame.time - begin), frame

    def _check_heard(self) -> None:
        name = shown(self.path)
        if self.end_s > 0 and self.damages <= self._packets / 2:
            return
        if self.damages:
            raise InvalidMedia(
                f"The sound of {name} is damaged: "
                f"{self.damages} of {self._packets} packets can't be decoded"
            )
        if self.promised_s:
            raise InvalidMedia(
                f"{name} promises {self.promised_s:.1f} s of sound, but none can be decoded",
                "It may have been cut off while it was copied.",
            )
        raise InvalidMedia(f"The sound of {name} is empty")


class _Timeline:
    """Frames put one after the other, with silence where there is a gap between them."""

    def __init__(self, form: Form, first: AudioFrame, promised_s: float | None) -> None:
        self._format = form.sample_format
        crowded = first.layout.nb_channels > form.most_channels
        self._layout = form.layout or ("stereo" if crowded else first.layout.name)
        self._rate = form.sample_rate or first.sample_rate
        self._latest_s = promised_s or _LONGEST_GAP_S
        self._shape: tuple[str, str, int] | None = None
        self._resampler: Chain | None = None
        self._taken_s = 0.0
        self._given = 0

    @property
    def end_s(self) -> float:
        return self._given / self._rate

    def add(self, time: float | None, frame: AudioFrame) -> Iterator[AudioFrame]:
        gap = time is not None and self._taken_s + _GAP_S < time <= self._latest_s
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if gap or shape != self._shape:
            yield from self.finish()
            if gap and time is not None:
                yield from self._silence_until(time)
                self._taken_s = time
            self._shape = shape
            self._resampler = _resampler(frame, self._format, self._layout, self._rate)
        self._taken_s += frame.samples / frame.sample_rate
        frame.pts = None  # the resampler must not know of gaps
        yield from self._resampled(frame)

    def finish(self) -> Iterator[AudioFrame]:
        """What the resampler still holds."""
        if self._resampler is not None:
            yield from self._resampled(None)
            self._resampler = None

    def _resampled(self, frame: AudioFrame | None) -> Iterator[AudioFrame]:
        if self._resampler is not None:
            for made in self._resampler.take(frame):
                if made.samples:
                    yield self._placed(made)

    def _silence_until(self, seconds: float) -> Iterator[AudioFrame]:
        missing = round(seconds * self._rate) - self._given
        while missing > 0:
            silence = AudioFrame(self._format, self._layout, min(missing, self._rate))
            silence.sample_rate = self._rate
            (plane,) = silence.planes
            plane.update(bytes(plane.buffer_size))
            missing -= silence.samples
            yield self._placed(silence)

    def _placed(self, frame: AudioFrame) -> AudioFrame:
        frame.pts = self._given
        frame.time_base = Fraction(1, self._rate)
        self._given += frame.samples
        return frame


def _resampler(frame: AudioFrame, sample_format: str, layout: str, rate: int) -> Chain:
    """Filters that bring frames such as this one into a form.

    PyAV's own resampler would start a thread for each core, which have nothing to do.
    """
    form = f"sample_fmts={sample_format}:sample_rates={rate}:channel_layouts={layout}"
    try:
        return Chain(frame, ("aresample", str(rate)), ("aformat", form))
    except av.ArgumentError as error:
        raise InvalidMedia(
            f"The sound has {frame.layout.nb_channels} channels in no known order, "
            "which can't be mixed",
            "Convert it with av.convert first.",
        ) from error


def channels_of(frame: AudioFrame) -> Floats:
    """Samples of a frame in the form `flt`, one row for each channel, 1 being full scale."""
    channels = frame.layout.nb_channels
    samples = np.frombuffer(memoryview(frame.planes[0]), np.float32, frame.samples * channels)
    return samples.reshape(-1, channels).T


def shown(path: Path) -> str:
    """A file's name, safe on a terminal."""
    return repr(path.name)[1:-1]


def _bits(frame: AudioFrame) -> int:
    """Samples of 8 bits, of 16, or as floats from a lossy codec hold no more than 16 bits."""
    return 24 if frame.format.name in {"s32", "s32p", "flt", "dbl", "dblp"} else 16


def _opened(reader: MediaReader) -> InputContainer:
    """The file as PyAV opens it, without following pointers to other files."""
    with reader.guarded():
        return av.open(
            reader,
            "r",
            container_options={"format_whitelist": _trusted_formats(), "protocol_whitelist": ""},
            metadata_errors="replace",
            buffer_size=_BUFFER_BYTES,
        )


@cache
def _trusted_formats() -> str:
    return trusted_formats(av.formats_available)
