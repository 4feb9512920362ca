"""Frames of a film as pictures."""

import math
from collections.abc import Iterator
from itertools import count

from mediahost import (
    Artifact,
    Context,
    InvalidMedia,
    MediaAnalysisResult,
    MediaFile,
    MediaProcessingResult,
)
from mediahost_av.container import ends_before, shown
from mediahost_av.output import MAX_STEM
from mediahost_av.sketches import Frames
from mediahost_av.snapshot import SUFFIXES, Snapshots
from mediahost_av.stills import Stills


def frames(action: Frames, media: MediaFile, context: Context) -> MediaProcessingResult:
    """Write the frame that is on view at each of the times.

    Keys of the result's metadata: `timestamps`, when each frame is shown, in seconds; `width` and
    `height` of the pictures, in pixels; `frames`, how many there are. Each artifact's metadata has
    its `timestamp`. A frame that is on view at several of the times is written once.

    Raises:
        InvalidMedia: The file is no film, none of its pictures can be decoded, it ends before the
            first of the times, or there would be too many frames.
    """
    with Stills(media.path, context) as stills:
        times = _times(action, stills.duration, media, context)
        snapshots = Snapshots(stills.stream, action)
        made: list[Artifact] = []
        for number, seconds in enumerate(times):
            stills.progress(number / len(times), "writing frames")
            still = stills.exactly_at(seconds)
            if still is None:
                continue
            name = f"{media.path.stem[:MAX_STEM]}-{len(made) + 1:05}.{SUFFIXES[action.format]}"
            if not made:
                stills.tell_doubts(still)
            made.append(snapshots.save(still, context.workdir / name, "frame"))
        if not made:
            raise stills.nothing()
        completeness = stills.completeness
    context.progress(1.0, "done")
    return MediaProcessingResult(
        artifacts=tuple(made),
        metadata={
            "timestamps": [artifact.metadata["timestamp"] for artifact in made],
            "frames": len(made),
            **snapshots.facts(),
        },
        completeness=completeness,
    )


def _times(action: Frames, duration: float, media: MediaFile, context: Context) -> list[float]:
    """The times of the frames, rising, in seconds."""
    wanted = sorted(_wanted(action, duration, context))
    times = [seconds for seconds in wanted if seconds < duration]
    if wanted and not times:
        raise ends_before(media.path, duration, wanted[0])
    if len(times) < len(wanted):
        context.log.warning(
            "%d of %d times are after the film's end", len(wanted) - len(times), len(wanted)
        )
    if not times:
        raise InvalidMedia(
            f"No step before found a time range in {shown(media.path)}",
            "Let a step such as scenes.detect come first.",
        )
    if len(times) > action.max_frames:
        raise InvalidMedia(
            f"{shown(media.path)} would give {len(times)} frames; {action.max_frames} is the most",
            "Ask for fewer, or set max_frames.",
        )
    return times


def _wanted(action: Frames, duration: float, context: Context) -> Iterator[float]:
    if action.ranges:
        for result in context.inputs.values():
            if isinstance(result, MediaAnalysisResult):
                yield from ((found.start + found.end) / 2 for found in result.ranges)
    elif action.times:
        yield from action.times
    elif action.count is not None:
        yield from (duration * (number + 0.5) / action.count for number in range(action.count))
    else:
        enough = min(math.ceil(duration / action.every_s), action.max_frames + 1)
        yield from (number * action.every_s for number, _ in zip(count(), range(enough)))
