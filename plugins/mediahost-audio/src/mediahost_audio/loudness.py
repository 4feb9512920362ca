"""Loudness by EBU R 128, as FFmpeg's filter `ebur128` measures it."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from av.audio.frame import AudioFrame

from mediahost import Completeness, Context, MediaAnalysisResult, MediaFile
from mediahost_audio.chain import Chain
from mediahost_audio.sound import Form, Sound

GATE_LUFS = -70.0  # ITU-R BS.1770: what is quieter doesn't count
SHORTEST_RANGE_S = 3.0  # EBU Tech 3342: the loudness range is of windows of 3 s

# The standard gives its filters for 48 kHz. Those that FFmpeg derives for low rates are up to
# 0.1 LU off, so that sound of less than a CD's rate is resampled first.
_STANDARD_RATE = 48_000
_GOOD_RATE = 44_100

# The filter gives true peaks with 3 decimals: 6 dB off at -60 dBTP. So they are measured beside it,
# in the same way: at this rate hardly a peak is between the samples.
_PEAK_RATE = 192_000
_STEP = "lavfi.r128."  # what the names of its metadata begin with


class Level(NamedTuple):
    """How loud a recording is.

    Attributes:
        integrated: In LUFS; None: nothing is above the gate.
        range: Loudness range in LU; None: shorter than 3 s.
        true_peak: In dBTP; None: digital silence.
    """

    integrated: float | None
    range: float | None
    true_peak: float | None

    def facts(self) -> dict[str, Any]:
        """For metadata."""
        return {
            "integrated_lufs": self.integrated,
            "range_lu": self.range,
            "true_peak_dbtp": self.true_peak,
        }


class Meter:
    """Takes frames of one form and tells their loudness.

    Attributes:
        momentary: The loudest 0.4 s of each second, in LUFS.
        short_term: The loudest 3 s that end in each second, in LUFS.
        seconds: How much it has listened to.
        completeness: How whole the recording is.
    """

    def __init__(self) -> None:
        self.momentary: list[float | None] = []
        self.short_term: list[float | None] = []
        self._loudness: Chain | None = None
        self._peaks: Chain | None = None
        self._integrated = GATE_LUFS
        self._range = 0.0
        self._peak = 0.0
        self.seconds = 0.0
        self.completeness = Completeness()

    def take(self, frame: AudioFrame) -> None:
        """Listen to the frame."""
        if self._loudness is None or self._peaks is None:
            resample = (
                [("aresample", f"{_STANDARD_RATE}")] if frame.sample_rate < _GOOD_RATE else []
            )
            self._loudness = Chain(frame, *resample, ("ebur128", "metadata=1:framelog=quiet"))
            self._peaks = Chain(
                frame,
                *resample,
                # The resampler would mirror the end to reach it: what follows is silence.
                ("apad", "pad_dur=0.1"),
                ("aresample", f"{_PEAK_RATE}:tsf=fltp:osf=flt"),
            )
        self.seconds += frame.samples / frame.sample_rate
        self._note(self._loudness.take(frame), self._peaks.take(frame))

    def level(self) -> Level:
        """How loud it was in all. Nothing can be taken after that."""
        if self._loudness is not None and self._peaks is not None:
            self._note(self._loudness.take(None), self._peaks.take(None))
        return Level(
            integrated=round(self._integrated, 2) if self._integrated > GATE_LUFS else None,
            range=round(self._range, 2) if self.seconds >= SHORTEST_RANGE_S else None,
            true_peak=round(20 * math.log10(self._peak), 2) if self._peak else None,
        )

    def _note(self, loudness: Iterator[AudioFrame], peaks: Iterator[AudioFrame]) -> None:
        for frame in loudness:
            step = frame.metadata
            if f"{_STEP}I" in step:
                self._integrated = float(step[f"{_STEP}I"])
                self._range = float(step[f"{_STEP}LRA"])
                second = int(frame.time or 0.0)
                _raise_to(self.momentary, second, float(step[f"{_STEP}M"]))
                _raise_to(self.short_term, second, float(step[f"{_STEP}S"]))
        for frame in peaks:
            self._peak = max(self._peak, _peak_of(frame))


def measure(path: Path, context: Context, start: float = 0.0, share: float = 1.0) -> Meter:
    """Listen to a whole file.

    Args:
        path: The file.
        context: Hears of progress, from `start` to `start + share`.
        start: Progress so far, 0 to 1.
        share: How much of the work this is, 0 to 1.

    Raises:
        InvalidMedia: It has no sound, or it can't be decoded.
    """
    sound, meter = Sound(path, context.threads), Meter()
    for frame in sound.frames(Form("flt")):
        meter.take(frame)
        context.progress(start + share * sound.share(), f"Measured {sound.end_s:.0f} s")
    meter.completeness = sound.completeness()
    return meter


def analyze(media: MediaFile, context: Context, *, series: bool) -> MediaAnalysisResult:
    """The result of `audio.loudness`."""
    meter = measure(media.path, context)
    metadata = {**meter.level().facts(), "duration": round(meter.seconds, 3)}
    if series:
        metadata |= {"momentary_lufs": meter.momentary, "short_term_lufs": meter.short_term}
    return MediaAnalysisResult(metadata=metadata, completeness=meter.completeness)


def _peak_of(frame: AudioFrame) -> float:
    """How far packed samples swing, 1 being full scale."""
    count = frame.samples * frame.layout.nb_channels
    samples = np.frombuffer(memoryview(frame.planes[0]), np.float32, count)
    return max(float(samples.max()), -float(samples.min()))


def _raise_to(series: list[float | None], second: int, lufs: float) -> None:
    series.extend([None] * (second + 1 - len(series)))
    if lufs > GATE_LUFS:
        series[second] = round(max(lufs, series[second] or GATE_LUFS), 1)
