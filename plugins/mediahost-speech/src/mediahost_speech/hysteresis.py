"""From the probability of speech, moment by moment, to stretches of speech.

The rules and their default numbers are those of `get_speech_timestamps` in Silero VAD
(src/silero_vad/utils_vad.py, version 6): a stretch begins where the probability reaches the
threshold and ends where it falls 0.15 below it and stays there for a while.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

HYSTERESIS = 0.15
LOWEST_EXIT = 0.01
# Speech that is too long is cut where it is least speech in its last seconds.
LOOK_BACK_S = 5.0


class Moment(NamedTuple):
    """How probable speech is in [start, end), in seconds."""

    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of speech, in seconds, with its mean probability.

    `goes_on` where it was cut because it was too long: the next one begins where it ends.
    """

    start: float
    end: float
    probability: float
    goes_on: bool = False


@dataclass
class _Open:
    """A stretch whose end is still to be found."""

    start: float
    end: float
    weighed: float = 0.0
    quiet_since: float | None = None
    weighed_before_quiet: float = 0.0
    recent: deque[tuple[Moment, bool, bool]] = field(default_factory=deque)

    def extend(self, moment: Moment, *, loud: bool, quiet: bool) -> None:
        self.recent.append((moment, loud, quiet))
        while self.recent[0][0].end < moment.end - LOOK_BACK_S:
            self.recent.popleft()
        if loud:
            self.quiet_since = None
        if quiet and self.quiet_since is None:
            self.quiet_since = moment.start
            self.weighed_before_quiet = self.weighed
        self.weighed += moment.probability * (moment.end - moment.start)
        self.end = moment.end

    def until_quiet(self, since: float) -> Stretch:
        return _stretch(self.start, since, self.weighed_before_quiet)

    def split(self) -> "tuple[Stretch, _Open]":
        """What is before the moment that is least speech, and what begins there."""
        moments = list(self.recent)
        least = min(range(1, len(moments)), key=lambda at: moments[at][0].probability)
        rest = _Open(moments[least][0].start, moments[least][0].end)
        for moment, loud, quiet in moments[least:]:
            rest.extend(moment, loud=loud, quiet=quiet)
        done = _stretch(self.start, rest.start, self.weighed - rest.weighed)
        return replace(done, goes_on=True), rest

    def whole(self) -> Stretch:
        return _stretch(self.start, self.end, self.weighed)


def find_speech(
    moments: Iterable[Moment],
    *,
    threshold: float,
    min_speech_s: float,
    min_silence_s: float,
    window_s: float,
    longest_s: float = math.inf,
) -> Iterator[Stretch]:
    """The stretches of speech among moments that follow each other without a gap.

    Args:
        moments: How probable speech is, in order of time.
        threshold: Probability from which on it is speech.
        min_speech_s: Shorter stretches are dropped.
        min_silence_s: Shorter silences don't end a stretch.
        window_s: Length of a moment. The original ends a stretch at the first moment that begins
            `min_silence_s` after the silence did, so it takes one window more of silence.
        longest_s: A stretch that grows longer than this is cut in two, several windows at least.
    """
    leave_below = max(threshold - HYSTERESIS, LOWEST_EXIT)
    current: _Open | None = None
    for moment in moments:
        if current is None:
            if moment.probability < threshold:
                continue
            current = _Open(moment.start, moment.end)
        quiet = moment.probability < leave_below
        current.extend(moment, loud=moment.probability >= threshold, quiet=quiet)
        since = current.quiet_since
        if quiet and since is not None and moment.end - since - window_s >= min_silence_s:
            if since - current.start > min_speech_s:
                yield current.until_quiet(since)
            current = None
        elif current.end - current.start > longest_s:
            cut, current = current.split()
            yield cut
    if current is not None and current.end - current.start > min_speech_s:
        yield current.whole()


def padded(stretches: list[Stretch], pad_s: float, duration: float) -> list[Stretch]:
    """Stretches made longer by `pad_s` at both ends; neighbours meet halfway at most."""
    starts = [stretch.start for stretch in stretches]
    ends = [stretch.end for stretch in stretches]
    lows = [0.0] + [(end + start) / 2 for end, start in zip(ends, starts[1:], strict=False)]
    highs = [*lows[1:], duration]
    return [
        replace(
            stretch,
            start=max(stretch.start - pad_s, low),
            end=min(stretch.end + pad_s, high),
        )
        for stretch, low, high in zip(stretches, lows, highs, strict=False)
    ]


def _stretch(start: float, end: float, weighed: float) -> Stretch:
    return Stretch(start, end, weighed / (end - start) if end > start else 0.0)
