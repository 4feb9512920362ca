"""From packets of the source to packets of a new file: the loop, with progress and checkpoints."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from av.stream import Stream

from mediahost import Context, InvalidMedia
from mediahost_av.container import Source, shown
from mediahost_av.copy import Copy
from mediahost_av.output import Output
from mediahost_av.window import WHOLE, Window

# Streams lie side by side in a file, hardly ever further apart than this.
INTERLEAVED_S = 10.0


CONVERTING = "converting"


class Encoding(Protocol):
    """What makes packets of frames: `Picture` and `Sound`."""

    count: int

    def take(self, frame: Any, /) -> Iterable[Any]:
        """The packets that are ready with this frame."""
        ...

    def finish(self) -> Iterable[Any]:
        """The packets that were still being worked on."""
        ...

    def facts(self) -> dict[str, Any]:
        """What was written, for the result's metadata."""
        ...


@dataclass
class Tracks:
    """What becomes of each stream of the source, by its index; others are left out.

    Attributes:
        encoded: Streams that are decoded and encoded anew.
        copied: Streams that are copied.
        reached: The latest time seen, in seconds from the source's beginning.
    """

    encoded: dict[int, Encoding] = field(default_factory=dict)
    copied: dict[int, Copy] = field(default_factory=dict)
    reached: float = 0.0


def nothing_decodable(source: Source, streams: Sequence[Stream]) -> InvalidMedia:
    """The error for a file whose header promises what isn't there."""
    promised = max((stream.frames for stream in streams), default=0)
    promise = f", though its header promises {promised} frames" if promised else ""
    return InvalidMedia(
        f"{shown(source.path)} holds nothing that can be decoded{promise}",
        "It is damaged or cut off.",
    )


def demand_half(source: Source) -> None:
    """Refuse a source most of whose packets are damaged: what can be decoded of it is noise.

    Raises:
        InvalidMedia: It is one.
    """
    if source.damages > source.packets_read / 2:
        raise InvalidMedia(
            f"{shown(source.path)} is damaged: {source.damages} of {source.packets_read} packets"
            " can't be decoded",
            "Copy or download it again.",
        )


def transcode(
    source: Source,
    streams: list[Stream],
    tracks: Tracks,
    output: Output,
    context: Context,
    *,
    window: Window = WHOLE,
) -> None:
    """Read the source from where it stands up to the window's end, write the new file."""
    done: set[int] = set()
    share = 0.0
    cut = window.end
    promised = source.duration if cut is None else cut
    for packet in source.packets(*streams):
        index = packet.stream_index
        when = _seconds(source, packet)
        if cut is not None and packet.dts is not None:
            # By decoding time: with B-frames, what is decoded later may be shown earlier.
            past = source.seconds(packet.stream, packet.dts) - cut
            if past >= 0:
                done.add(index)
            if len(done) == len(streams) or past > INTERLEAVED_S:
                break
        if when is not None:
            end = when + source.length(packet.stream, packet.duration or 0)
            tracks.reached = max(tracks.reached, end)
            share = _share(window.start, promised, when)
        context.progress(share, CONVERTING)
        if index in tracks.copied:
            ready: Iterable[Any] = tracks.copied[index].take(packet)
            _write_all(output, ready, context, share)
        elif index in tracks.encoded:
            for frame in source.frames(packet):
                _write_all(output, tracks.encoded[index].take(frame), context, share)
    for encoding in tracks.encoded.values():
        _write_all(output, encoding.finish(), context, share)


def _write_all(output: Output, packets: Iterable[Any], context: Context, share: float) -> None:
    for packet in packets:
        # An encoder may have seconds of work after the last frame.
        context.progress(share, CONVERTING)
        output.write(packet)


def _seconds(source: Source, packet: Any) -> float | None:
    ticks = packet.pts if packet.pts is not None else packet.dts
    return None if ticks is None else source.seconds(packet.stream, ticks)


def _share(start: float, end: float | None, when: float) -> float:
    if not end or end <= start:
        return 0.0
    return min(max((when - start) / (end - start), 0.0), 1.0)
