"""Chapters: a recording cut where it pauses for long."""

from collections.abc import Sequence

from mediahost import Context, MediaAnalysisResult, MediaFile, TimeRange
from mediahost_audio.silence import silences
from mediahost_audio.sound import Sound


def analyze(
    media: MediaFile, context: Context, *, noise_db: float, pause_s: float, min_s: float
) -> MediaAnalysisResult:
    """The result of `audio.chapters`."""
    sound = Sound(media.path, context.threads)
    pauses = [
        (start, end)
        for start, end in silences(sound, context, 10 ** (noise_db / 20))
        if end - start >= pause_s
    ]
    starts = begins(pauses, sound.end_s, min_s)
    ends = [*starts[1:], sound.end_s]
    ranges = tuple(
        TimeRange(
            start=round(start, 3),
            end=round(end, 3),
            label="chapter",
            payload={"title": f"Chapter {number}"},
        )
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
    )
    return MediaAnalysisResult(
        ranges=ranges,
        metadata={"duration": round(sound.end_s, 3), "chapters": len(ranges)},
        completeness=sound.completeness(),
    )


def begins(pauses: Sequence[tuple[float, float]], duration: float, min_s: float) -> list[float]:
    """Where chapters begin: where sound comes back, after the longest pauses first.

    Args:
        pauses: Start and end of each, in seconds.
        duration: Of the recording, in seconds.
        min_s: No chapter is shorter, but for a recording that is.
    """
    found = [0.0]
    for _, end in sorted(pauses, key=lambda pause: pause[0] - pause[1]):
        if duration - end >= min_s and all(abs(end - other) >= min_s for other in found):
            found.append(end)
    return sorted(found)
