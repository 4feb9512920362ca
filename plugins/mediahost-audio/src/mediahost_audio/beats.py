"""The result of `audio.beats`."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from mediahost import Context, MediaAnalysisResult, MediaFile, TimeRange
from mediahost_audio.rhythm import (
    SAMPLE_RATE,
    Floats,
    find_beats,
    find_tempo,
    onset_strength,
    sharpened,
    steady_tempo,
)
from mediahost_audio.sound import Form, Sound, channels_of

_LISTENING = 0.8  # of the work; the rest is to find the beats


def analyze(
    media: MediaFile, context: Context, *, slowest: float, fastest: float
) -> MediaAnalysisResult:
    """Listen to the whole file, then find its tempo and its beats."""
    sound = Sound(media.path, context.threads)
    onsets = sharpened(onset_strength(_samples(sound, context)))
    context.progress(_LISTENING, "Finding the tempo")
    tempo = find_tempo(onsets, slowest, fastest)
    if tempo is None:
        return _result([], None, 0.0, sound)

    def still_here(share: float) -> None:
        context.progress(_LISTENING + (1 - _LISTENING) * share, "Finding the beats")

    beats = find_beats(onsets, tempo.bpm, still_here)
    context.progress(1.0, "Done")
    return _result(beats, steady_tempo(beats) or tempo.bpm, tempo.confidence, sound)


def _samples(sound: Sound, context: Context) -> Iterator[Floats]:
    held: list[Floats] = []
    count = 0
    for frame in sound.frames(Form("flt", "mono", SAMPLE_RATE)):
        context.progress(_LISTENING * sound.share(), f"Listened to {sound.end_s:.0f} s")
        held.append(channels_of(frame)[0])
        count += frame.samples
        if count >= SAMPLE_RATE:
            yield np.concatenate(held)
            held, count = [], 0
    if held:
        yield np.concatenate(held)


def _result(
    beats: list[float], bpm: float | None, confidence: float, sound: Sound
) -> MediaAnalysisResult:
    duration = sound.end_s
    last = [min(beats[-1] + 60 / bpm, duration)] if beats and bpm else []
    times = [*beats, *last]
    return MediaAnalysisResult(
        ranges=tuple(
            TimeRange(start=round(start, 3), end=round(max(start, end), 3), label="beat")
            for start, end in pairwise(times)
        ),
        metadata={
            "tempo_bpm": round(bpm, 2) if bpm else None,
            "tempo_confidence": round(confidence, 3),
            "beats": len(beats),
            "duration": round(duration, 3),
        },
        completeness=sound.completeness(),
    )
