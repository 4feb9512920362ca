"""Where it is silent: the rules of FFmpeg's filter `silencedetect`.

The filter itself tells times with 6 digits, so that they are 0.1 s off after three hours.
"""

from collections.abc import Iterator

import numpy as np

from mediahost import Context, MediaAnalysisResult, MediaFile, TimeRange
from mediahost_audio.sound import Form, Sound, channels_of


def analyze(
    media: MediaFile, context: Context, *, noise_db: float, min_s: float
) -> MediaAnalysisResult:
    """The result of `audio.silence`."""
    sound = Sound(media.path, context.threads)
    ranges = tuple(
        TimeRange(start=round(start, 3), end=round(end, 3), label="silence")
        for start, end in silences(sound, context, 10 ** (noise_db / 20))
        if end - start >= min_s
    )
    silence_s = sum(found.duration for found in ranges)
    return MediaAnalysisResult(
        ranges=ranges,
        metadata={
            "duration": round(sound.end_s, 3),
            "silence_s": round(silence_s, 3),
            "silence_ratio": round(min(silence_s / sound.end_s, 1.0), 4),
            "silence_ranges": len(ranges),
        },
        completeness=sound.completeness(),
    )


def silences(sound: Sound, context: Context, floor: float) -> Iterator[tuple[float, float]]:
    """Start and end, in seconds, of every stretch in which all channels stay below the floor."""
    begin: int | None = None
    position, rate = 0, 1
    for frame in sound.frames(Form("flt")):
        rate, position = frame.sample_rate, frame.pts or 0
        loud = np.abs(channels_of(frame)).max(axis=0) >= floor
        if begin is None and not loud[0]:
            begin = position
        if begin is not None and loud[0]:
            yield begin / rate, position / rate
            begin = None
        for edge in (np.flatnonzero(loud[1:] != loud[:-1]) + 1).tolist():
            if loud[edge] and begin is not None:
                yield begin / rate, (position + edge) / rate
                begin = None
            elif not loud[edge]:
                begin = position + edge
        position += frame.samples
        context.progress(sound.share(), f"Listened to {sound.end_s:.0f} s")
    if begin is not None:
        yield begin / rate, position / rate
