"""Speech cut into pieces that Whisper takes: it always looks at 30 seconds at once."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mediahost_speech.sound import SAMPLE_RATE, Window

LONGEST_S = 29.0
# Speech without a pause for so long is cut where it is quietest in the last seconds.
_LOOK_BACK_S = 5.0
_BYTES = 2


class Span(NamedTuple):
    """A stretch of time, in seconds."""

    start: float
    end: float


class Piece(NamedTuple):
    """Sound from `start` seconds on: 16 kHz, mono, 16 bits."""

    start: float
    samples: bytes

    @property
    def end(self) -> float:
        """Where it ends, in seconds."""
        return self.start + len(self.samples) / _BYTES / SAMPLE_RATE


def grouped(spans: Iterable[Span], longest_s: float = LONGEST_S) -> list[Span]:
    """Neighbours joined as long as they fit in `longest_s`: few pieces, cut in pauses."""
    groups: list[Span] = []
    for span in spans:
        if groups and span.end - groups[-1].start <= longest_s:
            groups[-1] = Span(groups[-1].start, span.end)
        else:
            groups.append(span)
    return groups


def pieces(windows: Iterable[Window], spans: Sequence[Span]) -> Iterator[Piece]:
    """The sound of each span; of one that is too long, in several pieces.

    Args:
        windows: The sound, in order of time.
        spans: In order of time, without overlap.
    """
    waiting = deque(spans)
    held: list[Window] = []
    for window in windows:
        while waiting and waiting[0].end <= window.start:
            if held:
                yield _piece(held)
            held = []
            waiting.popleft()
        if not waiting:
            return
        if window.end <= waiting[0].start:
            continue
        held.append(window)
        if held[-1].end - held[0].start > LONGEST_S:
            cut = _quietest(held)
            yield _piece(held[:cut])
            held = held[cut:]
    if held:
        yield _piece(held)


def _piece(held: Sequence[Window]) -> Piece:
    return Piece(held[0].start, b"".join(map(_samples, held)))


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
