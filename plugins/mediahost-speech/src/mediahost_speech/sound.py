"""The sound of any recording or film, as 16 kHz mono, a window at a time."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mediahost import (
    Completeness,
    Holes,
    InvalidMedia,
    MediaReader,
    promised_duration,
    trusted_formats,
)
from mediahost.model.paths import display

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

SAMPLE_RATE = 16_000
WINDOW_SAMPLES = 512
WINDOW_S = WINDOW_SAMPLES / SAMPLE_RATE
_BYTES = 2
_WINDOW_BYTES = WINDOW_SAMPLES * _BYTES


# Matroska rounds its timestamps to milliseconds and a frame of sound is some 20 ms long: a gap
# shorter than a window is no gap.
_GAP_S = WINDOW_S

_BUFFER_BYTES = 1 << 17  # for each read of the file


class NoSound(InvalidMedia):
    """The file has no stream of sound at all."""


class Window(NamedTuple):
    """A stretch of sound, in seconds from the beginning of the file.

    `samples` are 512 of 16 bits, the last ones zero where the sound ends before the window does;
    None where the file has a gap, so that there is no sound at all.
    """

    start: float
    end: float
    samples: bytes | None


@dataclass
class Sound:
    """The best sound stream of a file.

    Attributes:
        path: A regular file.
        threads: How many threads the decoder may use.
        promised_s: What the container says the duration is, in seconds; None if it doesn't.
        end: Where the sound that was decoded so far ends, in seconds.
        skipped_packets: How many packets could not be decoded.
    """

    path: Path
    threads: int = 1
    promised_s: float | None = None
    end: float = 0.0
    skipped_packets: int = 0
    _packets: int = field(default=0, repr=False)
    _sure_s: float | None = field(default=None, repr=False)
    _holes: Holes = field(default_factory=Holes, repr=False)

    def windows(self) -> Iterator[Window]:
        """All windows, in order of time.

        Raises:
            InvalidMedia: The file has no sound, or it can't be decoded.
            TransientError: The disk or the network failed.
        """
        with closing(MediaReader(self.path)) as reader, _opened(reader) as container:
            with reader.guarded():
                stream = self._stream(container)
                name = container.format.name
                self._sure_s = promised_duration(name, reader, self.promised_s)
            for window in _windowed(self._frames(reader, container, stream)):
                self.end = window.end
                yield window
        self._check_heard()

    def completeness(self) -> Completeness:
        """How whole the sound that was read is."""
        return Completeness.of_recording(
            self._sure_s, self.end, self.skipped_packets, self._holes.seconds
        )

    def _stream(self, container: "InputContainer") -> "av.AudioStream":
        import av  # noqa: PLC0415 - as above

        stream = container.streams.best("audio")
        if not isinstance(stream, av.AudioStream):
            raise NoSound(f"{self._name} has no sound")
        # PyAV's types don't say so, but it is None for codecs that FFmpeg can't decode.
        if getattr(stream, "codec_context", None) is None:
            raise InvalidMedia(f"The sound of {self._name} is in a format that can't be decoded")
        stream.codec_context.thread_count = self.threads
        for other in container.streams:
            if other.index != stream.index:
                # A film's pictures need not even be read.
                other.discard = av.stream.Discard.all
        if stream.duration is not None and stream.time_base is not None:
            self.promised_s = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            self.promised_s = container.duration / 1_000_000
        return stream

    def _frames(
        self, reader: MediaReader, container: "InputContainer", stream: "av.AudioStream"
    ) -> Iterator[tuple[float | None, "av.AudioFrame"]]:
        """Decoded frames with the second at which each begins, if it says so."""
        begin = (container.start_time or 0) / 1_000_000
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
                self.skipped_packets += 1
                continue
            for frame in frames:
                if frame.samples:
                    yield (None if frame.time is None else frame.time - begin), frame

    def _check_heard(self) -> None:
        if self.end > 0 and self.skipped_packets <= self._packets / 2:
            return
        if self.promised_s and not self.end:
            raise InvalidMedia(
                f"{self._name} promises {self.promised_s:.1f} s of sound, but none can be decoded",
                "It may have been cut off while it was copied.",
            )
        if self.skipped_packets:
            raise InvalidMedia(
                f"The sound of {self._name} is damaged: "
                f"{self.skipped_packets} of {self._packets} packets can't be decoded"
            )
        raise InvalidMedia(f"The sound of {self._name} is empty")

    @property
    def _name(self) -> str:
        return display(self.path.name)


def _opened(reader: MediaReader) -> "InputContainer":
    """The file as PyAV opens it, without following pointers to other files."""
    import av  # noqa: PLC0415 - 60 ms that listing plugins shall not cost

    formats = trusted_formats(av.formats_available)
    with reader.guarded():
        return av.open(
            reader,
            "r",
            container_options={"format_whitelist": formats, "protocol_whitelist": ""},
            metadata_errors="replace",
            buffer_size=_BUFFER_BYTES,
        )


def _windowed(frames: Iterator[tuple[float | None, "av.AudioFrame"]]) -> Iterator[Window]:
    """Frames cut into windows; where their times leap ahead there is a gap."""
    stretch: _Stretch | None = None
    for time, frame in frames:
        if stretch is None:
            stretch = _Stretch(frame, max(time or 0.0, 0.0))
            if stretch.start > _GAP_S:
                yield Window(0.0, stretch.start, None)
        elif not stretch.continued_by(time, frame):
            yield from stretch.finish()
            start = stretch.end if time is None else max(time, stretch.end)
            if start > stretch.end:
                yield Window(stretch.end, start, None)
            stretch = _Stretch(frame, start)
        yield from stretch.add(frame)
    if stretch is not None:
        yield from stretch.finish()


class _Stretch:
    """Sound of one format without a gap. Positions count its samples, so nothing drifts."""

    def __init__(self, frame: "av.AudioFrame", start: float) -> None:
        import av  # noqa: PLC0415 - as above

        self.start = start
        self._form = (frame.format.name, frame.layout.name, frame.sample_rate)
        self._resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
        self._given_s = 0.0
        self._buffer = bytearray()
        self._cut = 0

    @property
    def end(self) -> float:
        """Where what was cut so far ends, in seconds."""
        return self.start + self._cut / SAMPLE_RATE

    def continued_by(self, time: float | None, frame: "av.AudioFrame") -> bool:
        """Whether the frame goes on where the last one ended, in the same format."""
        gapless = time is None or time - (self.start + self._given_s) < _GAP_S
        return gapless and self._form == (
            frame.format.name,
            frame.layout.name,
            frame.sample_rate,
        )

    def add(self, frame: "av.AudioFrame") -> Iterator[Window]:
        self._given_s += frame.samples / frame.sample_rate
        frame.pts = None  # the resampler must not know of gaps
        return self._windows(frame)

    def finish(self) -> Iterator[Window]:
        """What is left, filled up with silence."""
        yield from self._windows(None)
        count = len(self._buffer) // _BYTES
        if count:
            yield self._window(bytes(self._buffer.ljust(_WINDOW_BYTES, b"\0")), count)

    def _windows(self, frame: "av.AudioFrame | None") -> Iterator[Window]:
        for resampled in self._resampled(frame):
            self._buffer += memoryview(resampled.planes[0])[: resampled.samples * _BYTES]
        while len(self._buffer) >= _WINDOW_BYTES:
            samples = bytes(self._buffer[:_WINDOW_BYTES])
            del self._buffer[:_WINDOW_BYTES]
            yield self._window(samples, WINDOW_SAMPLES)

    def _resampled(self, frame: "av.AudioFrame | None") -> "list[av.AudioFrame]":
        import av  # noqa: PLC0415 - as above

        try:
            return self._resampler.resample(frame)
        except av.ArgumentError as error:
            channels = frame.layout.nb_channels if frame is not None else 0
            raise InvalidMedia(
                f"The sound has {channels} channels in no known order, which can't be mixed",
                "Convert it with av.convert first.",
            ) from error

    def _window(self, samples: bytes, count: int) -> Window:
        start = self.end
        self._cut += count
        return Window(start, self.end, samples)
