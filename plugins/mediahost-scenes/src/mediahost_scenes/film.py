"""A film as small pictures, one after the other, and errors in words.

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
from typing import Any, NamedTuple

import av
import numpy as np
from av.codec.context import ThreadType
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from mediahost import (
    Completeness,
    Holes,
    InvalidMedia,
    MediaReader,
    promised_duration,
    trusted_formats,
)

_BUFFER_BYTES = 1 << 17  # for each read of the file
_MICROSECONDS = 1_000_000  # FFmpeg's unit for the times of a container
_WIDTH = 160  # pixels; what is lost by that is noise
_TALLEST = 4 * _WIDTH
_USUAL_RATE = Fraction(25)

Planes = np.ndarray[Any, np.dtype[np.uint8]]


class Picture(NamedTuple):
    """A frame of the film, small.

    Attributes:
        seconds: When it is shown.
        planes: Brightness and two colour differences, each (height, width), 0 to 255.
    """

    seconds: float
    planes: Planes


class Film:
    """The picture stream of a file.

    Args:
        path: Where the file is.
        threads: How many threads the decoder may use.
        skip: Whether to leave out frames that no others are built on.

    Attributes:
        promised_s: Duration in seconds as the header has it, or None.
        end_s: Where the pictures that were decoded so far end, in seconds.
        frames: How many pictures were decoded so far.
        damages: How many packets could not be decoded so far.

    """

    def __init__(self, path: Path, threads: int = 1, *, skip: bool = False) -> None:
        self._path = path
        self._threads = threads
        self._skip = skip
        self._packets = 0
        self._sure_s: float | None = None
        self._holes = Holes()
        self.promised_s: float | None = None
        self.end_s = 0.0
        self.frames = 0
        self.damages = 0

    def pictures(self) -> Iterator[Picture]:
        """All pictures in the order of time.

        Raises:
            InvalidMedia: It is no regular file, has no picture, or can't be decoded.
            TransientError: The disk or the network failed.
        """
        with closing(MediaReader(self._path)) as reader, _opened(reader) as container:
            with reader.guarded():
                stream = self._stream(container)
                name = container.format.name
                self._sure_s = promised_duration(name, reader, self.promised_s)
            origin = (container.start_time or 0) / _MICROSECONDS
            step = float(1 / (stream.average_rate or _USUAL_RATE))
            size: tuple[int, int] | None = None
            shrink = VideoReformatter()  # one for all: making it takes longer than its work
            for frame in self._decoded(reader, container, stream):
                seconds = self.end_s if frame.pts is None else frame.time - origin
                if size is not None and seconds < self.end_s - step:
                    continue  # a timestamp that leaps back is damage
                size = size or _small(frame)
                with reader.guarded():
                    # One thread: by default there is one for each core, and each is waited for.
                    small = shrink.reformat(
                        frame, *size, "yuv444p", interpolation="AREA", threads=1
                    )
                    planes = _planes(small)
                self.frames += 1
                self.end_s = max(seconds, 0.0) + _shown_s(frame, step)
                yield Picture(max(seconds, 0.0), planes)
        self._check_seen()

    def share(self) -> float:
        """How much of the promised duration has been decoded, 0 to 1."""
        return min(self.end_s / self.promised_s, 1.0) if self.promised_s else 0.0

    def completeness(self) -> Completeness:
        """How whole the film that was read is."""
        return Completeness.of_recording(
            self._sure_s, self.end_s, self.damages, self._holes.seconds
        )

    def _stream(self, container: InputContainer) -> VideoStream:
        # A cover is no film.
        streams = [
            stream
            for stream in container.streams.video
            if not stream.disposition & Disposition.attached_pic
        ]
        best = container.streams.best("video")
        stream = best if best in streams else next(iter(streams), None)
        if not isinstance(stream, VideoStream):
            raise InvalidMedia(f"{shown(self._path)} has no picture")
        # PyAV's types don't say so, but it is None for codecs that FFmpeg can't decode.
        if getattr(stream, "codec_context", None) is None:
            raise InvalidMedia(f"No decoder knows the picture format of {shown(self._path)}")
        for other in container.streams:
            # Of the sound only the times are looked at, all else need not even be read.
            if other.index != stream.index and other.type != "audio":
                other.discard = Discard.all
        decoder = stream.codec_context
        decoder.thread_count = self._threads
        decoder.thread_type = ThreadType.AUTO if self._threads > 1 else ThreadType.NONE
        # Pictures are made small: what smoothing adds to those that no others are built on is
        # not seen.
        decoder.options = {"skip_loop_filter": "noref"}
        if self._skip:
            decoder.skip_frame = "NONREF"
        if stream.duration is not None and stream.time_base is not None:
            promised = float(stream.duration * stream.time_base)
        else:
            promised = (container.duration or 0) / _MICROSECONDS
        self.promised_s = promised if promised > 0 else None
        return stream

    def _decoded(
        self, reader: MediaReader, container: InputContainer, stream: VideoStream
    ) -> Iterator[VideoFrame]:
        packets = container.demux(stream, *container.streams.audio[:1])
        while True:
            try:
                packet = next(packets, None)
            except Exception:  # noqa: BLE001 - damaged files raise anything
                packet = None
                self.damages += 1
            if packet is None:
                reader.check()
                return
            if packet.pts is not None and packet.duration and packet.time_base is not None:
                start = float(packet.pts * packet.time_base)
                end = start + float(packet.duration * packet.time_base)
                self._holes.add(start, end, is_sound=packet.stream_index != stream.index)
            if packet.stream_index != stream.index:
                continue
            self._packets += packet.size > 0
            try:
                frames = packet.decode()
            except Exception:  # noqa: BLE001 - damaged files raise anything
                reader.check()
                # As players do: one bad packet doesn't spoil an hour.
                self.damages += 1
                continue
            yield from (frame for frame in frames if isinstance(frame, VideoFrame))

    def _check_seen(self) -> None:
        if self.frames and self.damages <= self._packets / 2:
            return
        name = shown(self._path)
        if self.damages:
            raise InvalidMedia(
                f"The picture of {name} is damaged: "
                f"{self.damages} of {self._packets} packets can't be decoded"
            )
        if self.promised_s:
            raise InvalidMedia(
                f"{name} promises {self.promised_s:.1f} s of pictures, but none can be decoded",
                "It may have been cut off while it was copied.",
            )
        raise InvalidMedia(f"The picture of {name} is empty")


def shown(path: Path) -> str:
    """A file's name, safe on a terminal."""
    return repr(path.name)[1:-1]


def _small(frame: VideoFrame) -> tuple[int, int]:
    height = round(_WIDTH * frame.height / max(frame.width, 1))
    return _WIDTH, min(max(height, 2), _TALLEST)


def _planes(picture: VideoFrame) -> Planes:
    """Plane after plane in memory; PyAV's array goes by pixels, whose sums take 30 times longer."""
    rows = [
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:, : plane.width]
        for plane in picture.planes
    ]
    return np.stack(rows)


def _shown_s(frame: VideoFrame, step: float) -> float:
    if frame.duration and frame.time_base is not None:
        return float(frame.duration * frame.time_base)
    return step


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
