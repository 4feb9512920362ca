"""Beats out of sound: onset strength, the tempo by combs of its autocorrelation, then the beats.

The beats are those of D. Ellis, "Beat Tracking by Dynamic Programming" (2007): as strong onsets as
possible, as evenly apart as possible.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

SAMPLE_RATE = 22_050
HOP = 128
FRAMES_PER_S = SAMPLE_RATE / HOP

Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]

_WINDOW = 1024
_BANDS = 32
_LOWEST_HZ = 40.0
_HIGHEST_HZ = 10_000.0
_COMPRESSION = 1000.0  # magnitudes are seen as log(1 + 1000 m), so that quiet strokes count too
_LOCAL_S = 0.5  # what is stronger than its surroundings of so many seconds is an onset

_COMB_TEETH = 8  # beats that a tempo is looked at over
_BPM_STEPS_PER_OCTAVE = 240  # 0.3 %
_PREFERRED_BPM = 120.0  # where people tap; Moelants, "Preferred tempo reconsidered" (2002)
_PREFERENCE_OCTAVES = 0.6
# What comes back on every beat often does on halves and quarters of it too, in music by twos.
_PARTS = ((1, 1.0), (2, 0.6), (4, 0.3))
# For larger products OpenBLAS starts threads of its own, on every core: 30 times the CPU time where
# other programs want them too.
_ROWS = 15
_BLOCK = 4096  # onset values that the autocorrelation takes at a time

# How much worse an uneven beat is than a weak one. Ellis has 100 for onsets in units of their
# spread; with bells laid over them they count ten times as much here.
_TIGHTNESS = 1000.0
_WEAK = 0.1  # of the typical beat: the ends are trimmed of weaker ones


class Tempo(NamedTuple):
    """Beats per minute, and how regularly sound comes back after each beat, 0 to 1."""

    bpm: float
    confidence: float


class OnsetMeter:
    """Takes samples and gives the onset strength, `FRAMES_PER_S` values a second."""

    def __init__(self) -> None:
        self._window = np.hanning(_WINDOW).astype(np.float32)
        self._bands = _bands()
        # Half a window of nothing before the beginning: a value stands for its window's middle.
        self._rest = np.zeros(_WINDOW // 2, np.float32)
        self._last: Floats | None = None

    def take(self, samples: Floats) -> Floats:
        """The values that are known with these samples."""
        data = np.concatenate([self._rest, samples])
        count = (data.size - _WINDOW) // HOP + 1
        if count <= 0:
            self._rest = data
            return np.empty(0, np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(data, _WINDOW)[::HOP][:count]
        self._rest = data[count * HOP :]
        spectra = np.abs(np.fft.rfft(windows * self._window, axis=1)).astype(np.float32)
        banded = [spectra[row : row + _ROWS] @ self._bands for row in range(0, count, _ROWS)]
        levels = np.log1p(_COMPRESSION / _WINDOW * np.concatenate(banded))
        before = levels[:1] if self._last is None else self._last
        self._last = levels[-1:]
        rises = np.diff(np.concatenate([before, levels]), axis=0)
        return np.asarray(np.maximum(rises, 0).mean(axis=1), np.float32)

    def finish(self) -> Floats:
        """The last values."""
        return self.take(np.zeros(_WINDOW // 2, np.float32))


def sharpened(strength: Floats) -> Floats:
    """Onset strength above its surroundings, in units of its spread."""
    above = np.empty_like(strength, np.float32)
    total = squares = 0.0
    # In blocks: an hour of music at once would take ten times the memory of its onsets.
    for start in range(0, strength.size, _BLOCK):
        stop = min(start + _BLOCK, strength.size)
        block = np.maximum(strength[start:stop] - _surroundings(strength, start, stop), 0)
        total += float(block.sum())
        squares += float((block**2).sum())
        above[start:stop] = block
    count = max(above.size, 1)
    spread = np.sqrt(max(squares / count - (total / count) ** 2, 0.0))
    if spread > 0:
        above /= np.float32(spread)
    return above


def _surroundings(strength: Floats, start: int, stop: int) -> Floats:
    """The mean around each value from `start` to `stop`."""
    size = max(int(_LOCAL_S * FRAMES_PER_S) | 1, 3)
    places = np.arange(start - size // 2, stop + size // 2)
    values = strength.take(places, mode="clip").astype(np.float64)
    sums = np.cumsum(np.concatenate([[0.0], values]))
    return np.asarray((sums[size:] - sums[:-size]) / size)


def find_tempo(onsets: Floats, slowest: float, fastest: float) -> Tempo | None:
    """The tempo between two others, all in beats per minute; None if nothing comes back."""
    teeth = min(_COMB_TEETH, int(onsets.size * slowest / 60 / FRAMES_PER_S))
    longest = int((teeth + 1) * 60 / slowest * FRAMES_PER_S) + 2
    correlation = _autocorrelation(onsets, min(longest, onsets.size))
    if correlation is None:
        return None
    octaves = np.log2(fastest / slowest)
    bpms = slowest * 2 ** np.linspace(0, octaves, max(int(octaves * _BPM_STEPS_PER_OCTAVE), 2))
    scores = np.array([_metre(correlation, 60 / bpm * FRAMES_PER_S) for bpm in bpms])
    preference = np.exp(-0.5 * (np.log2(bpms / _PREFERRED_BPM) / _PREFERENCE_OCTAVES) ** 2)
    bpm = float(bpms[int(np.argmax(scores * preference))])
    confidence = _comb(correlation, 60 / bpm * FRAMES_PER_S)
    return Tempo(bpm, min(confidence, 1.0)) if confidence > 0 else None


def find_beats(onsets: Floats, bpm: float, still_here: Callable[[float], None]) -> list[float]:
    """When the beats are, in seconds.

    Args:
        onsets: What `sharpened` gave.
        bpm: Beats per minute.
        still_here: Is told the share that is done, 0 to 1, every second or so.
    """
    period = 60 / bpm * FRAMES_PER_S
    smooth = _smoothed(onsets, period)
    lags = np.arange(max(round(period / 2), 1), round(2 * period) + 1)
    penalty = (-_TIGHTNESS * np.log(lags / period) ** 2)[::-1].astype(np.float32)
    longest, shortest = int(lags[-1]), int(lags[0])
    # In front, nothing: a first beat has none before it.
    score = np.zeros(smooth.size + longest, np.float32)
    origin = np.full(smooth.size, -1, np.int32)
    for index in range(smooth.size):
        before = score[index : index + longest - shortest + 1] + penalty
        choice = int(before.argmax())
        if before[choice] > 0:
            score[index + longest] = smooth[index] + before[choice]
            origin[index] = index + choice - longest
        else:
            score[index + longest] = smooth[index]
        if index % _BLOCK == 0:
            still_here(index / smooth.size)
    last = _last_beat(score[longest:], round(period))
    beats = _trimmed(list(_traced(origin, last))[::-1], smooth)
    return [_between(onsets, beat) / FRAMES_PER_S for beat in beats]


def steady_tempo(beats: list[float]) -> float | None:
    """Beats per minute by the line through all beats; None for fewer than three."""
    if len(beats) < 3:  # noqa: PLR2004 - two beats are a pause, three a rhythm
        return None
    slope = float(np.polyfit(np.arange(len(beats)), np.array(beats), 1)[0])
    return 60 / slope


def _bands() -> Floats:
    """Triangles between frequencies that are equal steps apart on the mel scale."""
    mels = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), _BANDS + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    hertz = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE)[:, None]
    rising = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(np.minimum(rising, falling), 0)
    return np.asarray(triangles / np.maximum(triangles.sum(axis=0), 1e-9), np.float32)


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def _autocorrelation(onsets: Floats, longest: int) -> Floats | None:
    """How alike onsets are to themselves so many values later: 1 at 0, mean taken off.

    Each lag is weighed by how much there is to compare, so that short files are not at a loss.
    None: there are no onsets.
    """
    mean = onsets.mean(dtype=np.float64)
    sums = np.zeros(longest)
    size = 1 << int(np.ceil(np.log2(_BLOCK + 2 * longest)))
    for start in range(0, onsets.size, _BLOCK):
        centred = onsets[start : start + _BLOCK + longest] - mean
        block = np.fft.rfft(centred[:_BLOCK], size)
        ahead = np.fft.rfft(centred, size)
        sums += np.fft.irfft(np.conj(block) * ahead, size)[:longest]
    pairs = onsets.size - np.arange(longest)
    means = sums / np.maximum(pairs, 1)
    # What is compared over a blink is worth nothing.
    means[pairs < FRAMES_PER_S / 4] = 0
    return np.asarray(means / means[0]) if means[0] > 0 else None


def _metre(correlation: Floats, lag: float) -> float:
    """How well the beat and its parts are seen in the correlation."""
    return sum(weight * _comb(correlation, lag / part) for part, weight in _PARTS)


def _comb(correlation: Floats, lag: float) -> float:
    """The mean of the correlation after 1, 2, 3... beats, as far as it reaches."""
    teeth = min(_COMB_TEETH, int((correlation.size - 2) / lag))
    if teeth < 1:
        return 0.0
    places = lag * np.arange(1, teeth + 1)
    values = np.interp(places, np.arange(correlation.size), correlation)
    return float(values.mean())


def _smoothed(onsets: Floats, period: float) -> Floats:
    """Onsets as bells, so that a beat may be a little early or late."""
    width = period / 32
    reach = max(int(4 * width), 1)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    if onsets.size < bell.size:
        return np.asarray(onsets, np.float32)
    return np.asarray(np.convolve(onsets, bell, "same"), np.float32)


def _last_beat(score: Floats, period: int) -> int:
    """The best end within the last beat's time."""
    begin = max(score.size - period, 0)
    return begin + int(score[begin:].argmax())


def _traced(origin: Any, last: int) -> Iterator[int]:
    while last >= 0:
        yield last
        last = int(origin[last])


def _trimmed(beats: list[int], smooth: Floats) -> list[int]:
    """Without beats before the music begins and after it ends."""
    strengths = smooth[beats]
    strong = np.flatnonzero(strengths > _WEAK * np.sqrt((strengths**2).mean()))
    return beats[strong[0] : strong[-1] + 1] if strong.size else []


def _between(onsets: Floats, peak: int) -> float:
    """The peak's place to a fraction, by the parabola through it and its neighbours."""
    nearby = range(max(peak - 3, 0), min(peak + 4, onsets.size))
    place = max(nearby, key=lambda index: float(onsets[index]))
    if not 0 < place < onsets.size - 1:
        return float(place)
    left, top, right = (float(onsets[place + step]) for step in (-1, 0, 1))
    bend = left - 2 * top + right
    return place + (0.5 * (left - right) / bend if bend < 0 else 0.0)


def onset_strength(samples: Iterable[Floats]) -> Floats:
    """Onset strength of all the samples, mono at `SAMPLE_RATE`."""
    meter = OnsetMeter()
    values = [meter.take(some) for some in samples]
    return np.concatenate([*values, meter.finish()])
