"""Media files opened for reading, and one clear error for whatever is wrong with them.

PyAV raises more than its own errors on damaged files: UnicodeDecodeError, AttributeError,
IndexError, PermissionError, MemoryError and others. So each call into it that reads is guarded
here, and nothing else is, lest a mistake of ours be blamed on the file. After each of them the
reader is asked whether the disk failed: FFmpeg takes that for the end of the film, or for damage.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import av
from av.audio.stream import AudioStream
from av.codec.context import CodecContext, ThreadType
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from mediahost import (
    Completeness,
    Context,
    Holes,
    InvalidMedia,
    MediaKind,
    MediaReader,
    kind_of,
    promised_duration,
    trusted_formats,
)

if TYPE_CHECKING:
    AnyPacket = Packet[Any]
else:
    AnyPacket = Packet  # generic for the type checker only

BUFFER_BYTES = 1 << 17  # for each read of the file
MICROSECONDS = 1_000_000  # FFmpeg's unit for the times of a container
MOST_AHEAD = 16_000_000  # bytes of packets that are kept while the first frames are looked for
CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")
THREADED = ThreadType.AUTO
UNTHREADED = ThreadType.NONE


class Source:
    """A media file opened for reading, as a context manager.

    Attributes:
        path: Where it is.
        container: PyAV's view of it.
        origin: When it begins by its own timestamps, in microseconds; a time that an action
            speaks of counts from there.
        damages: How many packets could not be read or decoded whole so far.
        packets_read: How many were read so far.
        holes: Where nothing was found of any stream.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.path = path
        self.threads = threads
        self.damages = self.packets_read = 0
        self.holes = Holes()
        self._clocks: dict[int, tuple[int, int, int]] = {}
        self._read_ahead: list[AnyPacket] = []
        self._decoded_ahead: dict[int, list[Any]] = {}
        self._reader = MediaReader(path)
        try:
            self.container = self._opened()
        except BaseException:
            self._reader.close()
            raise
        self.origin = self.container.start_time or 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        if exc is None:
            self._reader.check()

    def close(self) -> None:
        """Let go of the file."""
        self.container.close()
        self._reader.close()

    @property
    def duration(self) -> float | None:
        """Seconds that the header promises, or None."""
        ticks = self.container.duration
        return ticks / MICROSECONDS if ticks is not None and ticks > 0 else None

    def promised_s(self, streams: Sequence[Stream]) -> float | None:
        """Where the header is sure that the streams end, in seconds; None: it guesses.

        Without a word on each of them it is where the film ends.
        """
        ends = [end for stream in streams if (end := self._promised_end(stream)) is not None]
        end = max(ends) if ends and len(ends) == len(streams) else self.duration
        return promised_duration(self.container.format.name, self._reader, end)

    def completeness(
        self, streams: Sequence[Stream], end_s: float, *, until_s: float | None = None
    ) -> Completeness:
        """How whole what was read is.

        Args:
            streams: What was read.
            end_s: Where it ends, in seconds.
            until_s: Where what was wanted ends; None: with the file.
        """
        promised = self.promised_s(streams)
        if promised is not None and until_s is not None:
            promised = min(promised, until_s)
        return Completeness.of_recording(promised, end_s, self.damages, self.holes.seconds)

    def _promised_end(self, stream: Stream) -> float | None:
        if stream.duration is not None and stream.duration > 0:
            start = stream.start_time if stream.start_time is not None else self.origin_in(stream)
            return self.seconds(stream, start + stream.duration)
        return clock_seconds(stream.metadata.get("DURATION", ""))

    def picture(self) -> VideoStream | None:
        """The film's picture, or None; a cover is no film."""
        best = self._best("video")
        return best if isinstance(best, VideoStream) else None

    def sound(self) -> AudioStream | None:
        """The sound that a player would choose, or None."""
        best = self._best("audio")
        return best if isinstance(best, AudioStream) else None

    def origin_in(self, stream: Stream) -> int:
        """The origin in the stream's time base."""
        return round(self.origin / (MICROSECONDS * time_base_of(stream)))

    def seconds(self, stream: Stream, ticks: int) -> float:
        """A timestamp of the stream as seconds from the origin."""
        origin, numerator, denominator = self._clock_of(stream)
        return (ticks - origin) * numerator / denominator

    def length(self, stream: Stream, ticks: int) -> float:
        """A duration in the stream's time base as seconds."""
        _, numerator, denominator = self._clock_of(stream)
        return ticks * numerator / denominator

    def first_frames(
        self, wanted: Sequence[Stream], among: Sequence[Stream], context: Context
    ) -> dict[int, Any]:
        """The first frame of each wanted stream, by its index; a stream without any is missing.

        Some facts are in no header: rotation, the true sample rate of HE-AAC, the colours.
        Afterwards `packets` of all the streams begin where they would have begun before. Choose
        the streams again: where much was read, the source has been opened anew.

        Args:
            wanted: The streams whose frames are looked for.
            among: All streams that are to be read afterwards.
            context: For its checkpoints.
        """
        found: dict[int, Any] = {}
        looked_for = {stream.index for stream in wanted}
        read: list[AnyPacket] = []
        size, damages = 0, self.damages
        for packet in self.packets(*among) if wanted else ():
            context.checkpoint()
            frames: list[Any] | None = None
            if packet.stream_index in looked_for - found.keys():
                frames = self.frames(packet)
                if frames:
                    found[packet.stream_index] = frames[0]
            size += packet.size
            if size <= MOST_AHEAD:
                read.append(packet)
                if frames is not None:
                    self._decoded_ahead[id(packet)] = frames
            if found.keys() == looked_for:
                break
        if wanted and (found.keys() != looked_for or size > MOST_AHEAD):
            self.rewind()
            self.damages = damages
        else:
            self._read_ahead = read
        return found

    def packets(self, *streams: Stream) -> Iterator[AnyPacket]:
        """The packets of the streams from here on, up to the end or to where it is broken off.

        Raises:
            TransientError: The disk or the network failed.
        """
        indexes = {stream.index for stream in streams}
        read, self._read_ahead = self._read_ahead, []
        yield from (packet for packet in read if packet.stream_index in indexes)
        for stream in self.container.streams:
            # What nobody wants need not even be read.
            stream.discard = Discard.default if stream.index in indexes else Discard.all
        demuxer = self.container.demux(*streams)
        while True:
            try:
                packet = next(demuxer, None)
            except Exception:  # noqa: BLE001 - damaged files raise anything
                packet = None
                self._note_damage()
            if packet is None:
                self._reader.check()
                return
            self._note(packet)
            yield packet

    def frames(self, packet: AnyPacket) -> list[Any]:
        """The frames that the packet completes; a packet that is damaged completes none."""
        if self._decoded_ahead:
            decoded = self._decoded_ahead.pop(id(packet), None)
            if decoded is not None:
                return decoded
        try:
            frames = [frame for frame in packet.decode() if not _is_hollow(frame)]
        except Exception:  # noqa: BLE001 - damaged files raise anything
            self._note_damage()
            return []
        self.damages += any(frame.is_corrupt for frame in frames)
        return frames

    def frames_at_once(self, packet: AnyPacket) -> list[Any]:
        """The frames of this packet alone; seek before you read on."""
        frames = self.frames(packet)
        if frames:
            return frames
        decoder: Any = decoder_of(packet.stream)
        try:
            # A decoder holds frames back to bring them in order, until it hears of the end.
            return list(decoder.decode(None))
        except Exception:  # noqa: BLE001 - damaged files raise anything
            self._note_damage()
            return []

    def seek(self, seconds: float) -> bool:
        """Go to a keyframe at or before the time, as far as the format tells; False if it can't."""
        target = self.origin + round(max(seconds, 0.0) * MICROSECONDS)
        self._forget_ahead()
        self.holes = Holes()
        for stream in self.container.streams:
            stream.discard = Discard.default  # seeks go by the streams that are wanted
        try:
            self.container.seek(target)
        except Exception:  # noqa: BLE001 - damaged files raise anything
            self._reader.check()
            return False
        return True

    def rewind(self) -> None:
        """Go to the very beginning, by opening the file again: seeks can't be trusted to."""
        self._forget_ahead()
        self.holes = Holes()
        self.container.close()
        self.container = self._opened()

    def _clock_of(self, stream: Stream) -> tuple[int, int, int]:
        """The origin in the stream's time base, and that as numerator and denominator."""
        # Fractions for each packet would take longer than to copy it.
        clock = self._clocks.get(stream.index)
        if clock is None:
            base = time_base_of(stream)
            clock = (self.origin_in(stream), base.numerator, base.denominator)
            self._clocks[stream.index] = clock
        return clock

    def _forget_ahead(self) -> None:
        self._read_ahead.clear()
        self._decoded_ahead.clear()

    def _note(self, packet: AnyPacket) -> None:
        self.packets_read += packet.size > 0
        if packet.pts is not None and packet.duration:
            start = self.seconds(packet.stream, packet.pts)
            end = start + self.length(packet.stream, packet.duration)
            self.holes.add(start, end, is_sound=packet.stream.type == "audio")

    def _note_damage(self) -> None:
        """Count a packet that could not be read or decoded.

        Raises:
            TransientError: It was not the file's fault.
        """
        self._reader.check()
        self.damages += 1

    def blamed(self) -> AbstractContextManager[None]:
        """Whatever goes wrong in here is the file's fault, unless the disk failed."""
        return self._reader.guarded()

    def _opened(self) -> InputContainer:
        with self._reader.guarded():
            self._reader.seek(0)
            container = open_container(self._reader)
            for stream in container.streams:
                decoder = decoder_of(stream)
                if decoder is not None:
                    decoder.thread_count = self.threads
                    decoder.thread_type = THREADED if self.threads > 1 else UNTHREADED
        return container

    def _best(self, kind: Literal["video", "audio"]) -> Stream | None:
        with self.blamed():
            candidates = [
                stream
                for stream in self.container.streams
                if stream.type == kind
                and decoder_of(stream) is not None
                and not stream.disposition & Disposition.attached_pic
            ]
            best = self.container.streams.best(kind)
            if best in candidates:
                return best
        return candidates[0] if candidates else None


def ends_before(path: Path, end: float, start: float) -> InvalidMedia:
    """The error for a segment that starts after the file's end; times in seconds."""
    return InvalidMedia(
        f"{shown(path)} ends at {end:.2f} s, before the segment's start at {start:g} s"
    )


def shown(path: Path) -> str:
    """A file's name, safe on a terminal."""
    return repr(path.name)[1:-1]


def clock_seconds(text: str) -> float | None:
    """Seconds of `00:01:02.500000000`, as Matroska notes how long each stream is."""
    found = CLOCK.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = found.groups()
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def time_base_of(stream: Stream) -> Fraction:
    """Seconds per tick of the stream's timestamps."""
    return stream.time_base or Fraction(1, MICROSECONDS)


def decoder_of(stream: Stream) -> CodecContext | None:
    """What decodes the stream; None if FFmpeg has no decoder, as for AC-4 and MPEG-H."""
    return stream.codec_context


class _Nameless:
    """A picture without its name, by which FFmpeg would take it for one of a numbered sequence."""

    def __init__(self, reader: MediaReader) -> None:
        self.read, self.seek, self.tell = reader.read, reader.seek, reader.tell


def open_container(reader: MediaReader) -> InputContainer:
    """The file as PyAV opens it, without following pointers to other files."""
    is_picture = kind_of(reader.path) is MediaKind.IMAGE
    return av.open(
        _Nameless(reader) if is_picture else reader,
        "r",
        container_options={"format_whitelist": _trusted_formats(), "protocol_whitelist": ""},
        metadata_errors="replace",
        buffer_size=BUFFER_BYTES,
    )


@cache
def _trusted_formats() -> str:
    return trusted_formats(av.formats_available)


def _is_hollow(frame: Any) -> bool:
    return getattr(frame, "samples", 1) == 0
