"""Single pictures out of a film, found by keyframes where they are close enough."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mediahost import Completeness, Context, InvalidMedia
from mediahost_av.container import Source, shown, time_base_of
from mediahost_av.position import seek_before
from mediahost_av.transcode import nothing_decodable
from mediahost_av.upright import display_doubt

DENSE = 10  # pictures per second; of a film with so many one may be left out unnoticed
NEAR_S = 2.0  # decoding on so far is quicker than looking for a keyframe in between


class Still(NamedTuple):
    """A picture and when it is shown, in seconds from the film's beginning."""

    seconds: float
    frame: VideoFrame


class Stills:
    """Gives pictures at rising times: either about there, which is quicker, or exactly there.

    One reader looks for keyframes and decodes nothing else; the other, opened only where keyframes
    are rare, decodes on from where it stands.

    Attributes:
        stream: The film's picture.
        duration: Of the picture, in seconds.

    Raises:
        InvalidMedia: The file can't be read, or is no film.
    """

    def __init__(self, path: Path, context: Context) -> None:
        self._context = context
        self._said = (0.0, "measuring the film")
        self._scout = Source(path)
        self._reader: Source | None = None
        self._flow: Iterator[Still] | None = None
        self._now: Still | None = None
        self._ahead: Still | None = None
        self._given: float | None = None
        self._end_s: float | None = None
        self.stream = _picture(self._scout)
        self._promised_s = self._scout.promised_s([self.stream])
        self.duration = self._duration()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for source in filter(None, (self._reader, self._scout)):
            source.__exit__(exc_type, exc, traceback)

    @property
    def completeness(self) -> Completeness:
        """How whole the film is; one that is broken off has been read to its end."""
        reader = self._reader
        if reader is None or self._end_s is None:
            return Completeness()
        return Completeness.of_recording(self._promised_s, self._end_s, reader.damages)

    def tell_doubts(self, still: Still) -> None:
        """Log what is wrong with the way the film is to be shown."""
        for doubt in display_doubt(still.frame):
            self._context.log.warning(doubt)

    def progress(self, share: float, message: str) -> None:
        """Tell how much is done, 0 to 1; it is told again as long as pictures are looked for."""
        self._said = (share, message)
        self._context.progress(*self._said)

    def at(self, seconds: float) -> Still | None:
        """The keyframe before the time if it was not given yet, else a picture from just before it.

        None: nothing new is on view.
        """
        still = self._keyframe_at(seconds)
        if still is None or (self._given is not None and still.seconds <= self._given):
            still = self._on_view_at(seconds, still, all_frames=False)
        if still is None or still.seconds == self._given:
            return None
        self._given = still.seconds
        return still

    def exactly_at(self, seconds: float) -> Still | None:
        """What is on view at the time; None: it was given already, or there is nothing."""
        near = self._ahead is not None and 0 <= seconds - self._ahead.seconds < NEAR_S
        keyframe = None if near else self._keyframe_at(seconds)
        still = self._on_view_at(seconds, keyframe, all_frames=True)
        if still is None or still.seconds == self._given:
            return None
        self._given = still.seconds
        return still

    def nothing(self) -> InvalidMedia:
        """The error for a film of which no picture was found."""
        return nothing_decodable(self._scout, [self.stream])

    def _duration(self) -> float:
        stream = self.stream
        if stream.duration is not None and stream.duration > 0:
            return float(stream.duration * time_base_of(stream))
        return self._scout.duration or self._last_packet()

    def _keyframe_at(self, seconds: float) -> Still | None:
        if not self._scout.seek(seconds):
            return None
        for packet in self._scout.packets(self.stream):
            self._context.progress(*self._said)
            if packet.is_keyframe and packet.size:
                frames = self._scout.frames_at_once(packet)
                return _still(self._scout, self.stream, frames[0]) if frames else None
        return None

    def _on_view_at(
        self, seconds: float, keyframe: Still | None, *, all_frames: bool
    ) -> Still | None:
        behind = keyframe is not None and self._ahead and self._ahead.seconds < keyframe.seconds
        if self._flow is None or behind:
            self._flow = self._frames_from(seconds, all_frames=all_frames)
            self._now, self._ahead = None, next(self._flow, None)
        while self._ahead is not None and self._ahead.seconds <= seconds:
            self._now, self._ahead = self._ahead, next(self._flow, None)
        return self._now or self._ahead

    def _frames_from(self, seconds: float, *, all_frames: bool) -> Iterator[Still]:
        """The pictures from a time on; those that no others are built on may be left out."""
        reader = self._reader = self._reader or Source(self._scout.path, self._context.threads)
        seek_before(reader, seconds, [_picture(reader)], self._context)
        stream = _picture(reader)
        if not all_frames and (stream.average_rate or 0) >= DENSE:
            stream.codec_context.skip_frame = "NONREF"
        last_s = 0.0
        for packet in reader.packets(stream):
            self._context.progress(*self._said)
            for frame in reader.frames(packet):
                still = _still(reader, stream, frame)
                if still is not None:
                    last_s = still.seconds + reader.length(stream, frame.duration or 0)
                    yield still
        self._end_s = last_s

    def _last_packet(self) -> float:
        """Where the header says nothing: the time of the last packet, in seconds."""
        last = 0.0
        for packet in self._scout.packets(self.stream):
            self._context.progress(*self._said)
            if packet.pts is not None:
                last = max(last, self._scout.seconds(self.stream, packet.pts))
        return last


def _picture(source: Source) -> VideoStream:
    stream = source.picture()
    if stream is None:
        raise InvalidMedia(f"{shown(source.path)} has no picture")
    return stream


def _still(source: Source, stream: VideoStream, frame: VideoFrame) -> Still | None:
    ticks = frame.pts if frame.pts is not None else frame.dts
    return None if ticks is None else Still(max(source.seconds(stream, ticks), 0.0), frame)
