"""Speech packed into pieces that Whisper takes: it always computes on 30 seconds at once."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mediahost_speech.hysteresis import Moment, Stretch, find_speech, padded
from mediahost_speech.sound import SAMPLE_RATE, WINDOW_S, Window

LONGEST_S = 30.0
_BYTES = 2

# Whisper needs the breath before a word; a pause of half a second is none within a sentence.
_THRESHOLD, _MIN_SPEECH_S, _MIN_SILENCE_S, _PAD_S = 0.5, 0.25, 0.5, 0.2
# With its padding, it fits in a piece.
_LONGEST_SPEECH_S = LONGEST_S - 1.0
# All that a stretch may still need: its length, and the silence that tells that it has ended.
_HELD_S = LONGEST_S + 1.0
# Known speech without a pause for so long is cut where it is quietest in the last seconds.
_LOOK_BACK_S = 5.0


class Part(NamedTuple):
    """Speech from `start` seconds of the file on: 16 kHz, mono, 16 bits."""

    start: float
    samples: bytes

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / _BYTES / SAMPLE_RATE

    @property
    def end(self) -> float:
        """Where it ends in the file, in seconds."""
        return self.start + self.seconds


class Piece(NamedTuple):
    """Parts, one after the other, without what is between them in the file."""

    parts: tuple[Part, ...]

    @property
    def samples(self) -> bytes:
        """The sound of all parts."""
        return b"".join(part.samples for part in self.parts)

    @property
    def end(self) -> float:
        """Where it ends in the file, in seconds."""
        return self.parts[-1].end

    def in_file(self, start: float, end: float) -> tuple[float, float]:
        """Where a stretch of the piece is in the file, all in seconds; it lies in one part."""
        middle, before = (start + end) / 2, 0.0
        for part in self.parts:
            if middle < before + part.seconds or part is self.parts[-1]:
                shift = part.start - before
                low = min(max(start + shift, part.start), part.end)
                return low, min(max(end + shift, low), part.end)
            before += part.seconds
        raise ValueError("a piece without parts")


def packed(parts: Iterable[Part], longest_s: float = LONGEST_S) -> Iterator[Piece]:
    """As many neighbours in each piece as fit."""
    held: list[Part] = []
    seconds = 0.0
    for part in parts:
        if held and seconds + part.seconds > longest_s:
            yield Piece(tuple(held))
            held, seconds = [], 0.0
        held.append(part)
        seconds += part.seconds
    if held:
        yield Piece(tuple(held))


def heard_parts(heard: Iterable[tuple[Window, float]]) -> Iterator[Part]:
    """The parts of a sound where somebody speaks, as soon as each is over.

    Args:
        heard: The sound in order of time, and how probable speech is in each window.
    """
    held: deque[Window] = deque()
    done = 0.0
    for stretch in find_speech(
        _moments(heard, held),
        threshold=_THRESHOLD,
        min_speech_s=_MIN_SPEECH_S,
        min_silence_s=_MIN_SILENCE_S,
        window_s=WINDOW_S,
        longest_s=_LONGEST_SPEECH_S,
    ):
        start = max(stretch.start - _PAD_S, done)
        end = stretch.end if stretch.goes_on else stretch.end + _PAD_S
        windows = [one for one in held if start <= _middle(one) < end]
        if windows:
            yield _part(windows)
            done = windows[-1].end


def _moments(heard: Iterable[tuple[Window, float]], held: deque[Window]) -> Iterator[Moment]:
    """What speech is found by, while the last windows are held."""
    for window, probability in heard:
        held.append(window)
        while held[0].end < window.start - _HELD_S:
            held.popleft()
        yield Moment(window.start, window.end, probability)


def known_parts(windows: Iterable[Window], speech: Sequence[tuple[float, float]]) -> Iterator[Part]:
    """The parts of a sound that are known to be speech.

    Args:
        windows: The sound, in order of time.
        speech: Start and end of each stretch in seconds, in order of time, without overlap.
    """
    waiting = deque(_joined(speech))
    held: list[Window] = []
    for window in windows:
        while waiting and waiting[0].end <= window.start:
            if held:
                yield _part(held)
            held = []
            waiting.popleft()
        if not waiting:
            return
        if window.end <= waiting[0].start:
            continue
        held.append(window)
        if held[-1].end - held[0].start > _LONGEST_SPEECH_S:
            cut = _quietest(held)
            yield _part(held[:cut])
            held = held[cut:]
    if held:
        yield _part(held)


def _joined(speech: Sequence[tuple[float, float]]) -> list[Stretch]:
    """Neighbours with a pause too short to end a sentence as one, and each with its breath."""
    joined: list[Stretch] = []
    for start, end in speech:
        if joined and start - joined[-1].end < _MIN_SILENCE_S:
            joined[-1] = Stretch(joined[-1].start, end, 1.0)
        else:
            joined.append(Stretch(start, end, 1.0))
    return padded(joined, _PAD_S, joined[-1].end + _PAD_S) if joined else []


def _part(held: Sequence[Window]) -> Part:
    return Part(held[0].start, b"".join(map(_samples, held)))


def _middle(window: Window) -> float:
    return (window.start + window.end) / 2


def _samples(window: Window) -> bytes:
    if window.samples is not None:
        return window.samples
    return bytes(round((window.end - window.start) * SAMPLE_RATE) * _BYTES)


def _quietest(held: Sequence[Window]) -> int:
    """Where to cut: before the quietest window of the last seconds."""
    late = [
        number
        for number, window in enumerate(held)
        if number and window.start >= held[-1].end - _LOOK_BACK_S
    ]
    return min(late, key=lambda number: _loudness(held[number]), default=len(held))


def _loudness(window: Window) -> int:
    if window.samples is None:
        return 0
    return sum(abs(sample) for sample in memoryview(window.samples).cast("h"))
