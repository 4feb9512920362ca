"""Where reading starts: near enough before a time, whatever the container's index says."""

from collections.abc import Sequence

from av.stream import Stream

from mediahost import Context
from mediahost_av.container import Source

# Seeks overshoot in MPEG-TS and in Matroska without cues.
MARGINS_S = (0.0, 1.0, 5.0, 20.0)
# MP3 takes bits from up to 0.25 s before, Opus settles in 0.08 s, AAC needs the frame before.
PREROLL_S = 0.3


def seek_before(
    source: Source, seconds: float, streams: Sequence[Stream], context: Context
) -> None:
    """Stand where all of the streams can be decoded from before the time on.

    Where no seek leads there, the file is read from its beginning. `Source.rewind` makes streams
    of old invalid: choose them again.
    """
    aim = seconds - PREROLL_S
    if aim <= 0:
        source.rewind()
        return
    for margin in MARGINS_S:
        if not source.seek(aim - margin):
            break
        if _all_start_before(source, aim, streams, context) and source.seek(aim - margin):
            return
    source.rewind()


def _all_start_before(
    source: Source, seconds: float, streams: Sequence[Stream], context: Context
) -> bool:
    waiting = {stream.index for stream in streams}
    for packet in source.packets(*streams):
        context.checkpoint()
        if packet.stream_index not in waiting:
            continue
        for frame in source.frames(packet):
            ticks = frame.pts if frame.pts is not None else frame.dts
            if ticks is None or source.seconds(packet.stream, ticks) > seconds:
                return False
            waiting.discard(packet.stream_index)
            break
        if not waiting:
            return True
    return False
