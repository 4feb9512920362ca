"""Cuts without loss: packets copied from a keyframe on."""

from typing import Any, NamedTuple

from av.audio.stream import AudioStream
from av.stream import Stream
from av.video.stream import VideoStream

from mediahost import Context, InvalidMedia
from mediahost_av.container import Source, ends_before, shown
from mediahost_av.copy import Copy
from mediahost_av.output import Output
from mediahost_av.position import MARGINS_S
from mediahost_av.transcode import INTERLEAVED_S

TOLERANCE_S = 0.001  # Matroska counts in milliseconds


class Cut(NamedTuple):
    """Where a copy begins.

    Attributes:
        seconds: The time of the keyframe, from the source's beginning.
        picture: The stream to copy, or None.
        sound: The stream to copy, or None.
    """

    seconds: float
    picture: VideoStream | None
    sound: AudioStream | None

    @property
    def streams(self) -> list[Stream]:
        """Those that are there."""
        return [stream for stream in (self.picture, self.sound) if stream is not None]

    def begins_with(self, packet: Any, shown_at: float) -> bool:
        """Whether its stream may begin with this packet in the copy."""
        if packet.stream.type == "video":
            return packet.is_keyframe and abs(shown_at - self.seconds) <= TOLERANCE_S
        return shown_at >= self.seconds - TOLERANCE_S


def cut_before(source: Source, seconds: float, context: Context, *, with_picture: bool) -> Cut:
    """Find the last keyframe at or before the time, and stand before it.

    Raises:
        InvalidMedia: There is nothing to copy, no keyframe, or the file ends before the time.
    """
    cut = _streams(source, with_picture=with_picture)
    if not cut.streams:
        raise InvalidMedia(f"{shown(source.path)} has nothing that can be copied")
    for margin in MARGINS_S:
        if seconds <= margin or not source.seek(seconds - margin):
            break
        found = _keyframe_before(source, cut, seconds, context)
        if found is not None and source.seek(seconds - margin):
            return cut._replace(seconds=found)
    source.rewind()
    cut = _streams(source, with_picture=with_picture)
    found = _keyframe_before(source, cut, seconds, context, from_the_start=True)
    if found is None:
        raise InvalidMedia(f"{shown(source.path)} has no keyframe before {seconds:g} s to cut at")
    source.rewind()
    return _streams(source, with_picture=with_picture)._replace(seconds=found)


def copy_from(
    cut: Cut,
    source: Source,
    copies: dict[int, Copy],
    output: Output,
    context: Context,
    *,
    until: float,
) -> float:
    """Copy packets up to the time `until`; where the last one ends, in seconds."""
    length = max(min(until, source.duration or until) - cut.seconds, TOLERANCE_S)
    reached = cut.seconds
    begun: set[int] = set()
    done: set[int] = set()
    for packet in source.packets(*cut.streams):
        context.checkpoint()
        if packet.dts is None or not packet.size:
            continue
        decoded_at = source.seconds(packet.stream, packet.dts)
        shown_at = _shown_at(source, packet)
        if decoded_at >= until:
            done.add(packet.stream_index)
            if len(done) == len(copies) or decoded_at > until + INTERLEAVED_S:
                break
            continue
        if packet.stream_index not in begun and not cut.begins_with(packet, shown_at):
            continue
        begun.add(packet.stream_index)
        # A picture decoded after the first keyframe but shown before it lacks what it builds on.
        if shown_at >= cut.seconds - TOLERANCE_S:
            reached = max(reached, shown_at + source.length(packet.stream, packet.duration or 0))
            context.progress(min((shown_at - cut.seconds) / length, 1.0), "copying")
            for ready in copies[packet.stream_index].take(packet):
                output.write(ready)
    if not begun:
        raise InvalidMedia(f"{shown(source.path)} holds nothing that can be copied")
    return reached


def _streams(source: Source, *, with_picture: bool) -> Cut:
    return Cut(0.0, source.picture() if with_picture else None, source.sound())


def _keyframe_before(
    source: Source, cut: Cut, seconds: float, context: Context, *, from_the_start: bool = False
) -> float | None:
    """The last keyframe at or before the time, if all other streams can begin with it too."""
    leading = cut.streams[0].index
    keyframe: float | None = None
    begins: dict[int, float] = {}
    reached = 0.0
    for packet in source.packets(*cut.streams):
        context.checkpoint()
        if packet.dts is None or not packet.size:
            continue
        shown_at = _shown_at(source, packet)
        begins.setdefault(packet.stream_index, shown_at)
        reached = max(reached, shown_at + source.length(packet.stream, packet.duration or 0))
        if packet.stream_index != leading:
            continue
        late = shown_at > seconds + TOLERANCE_S
        if packet.is_keyframe and (not late or (from_the_start and keyframe is None)):
            keyframe = max(shown_at, 0.0)
        if late and source.seconds(packet.stream, packet.dts) > seconds:
            break
    if from_the_start and reached <= seconds:
        raise ends_before(source.path, reached, seconds)
    if keyframe is None or from_the_start:
        return keyframe
    return keyframe if all(begin <= keyframe for begin in begins.values()) else None


def _shown_at(source: Source, packet: Any) -> float:
    return source.seconds(packet.stream, packet.pts if packet.pts is not None else packet.dts)
