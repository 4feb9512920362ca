"""Speech cut into subtitles that can be read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from mediahost.model.subtitles import Cue

if TYPE_CHECKING:
    from mediahost.model.result import MediaAnalysisResult, Transcription

SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")  # noqa: RUF001 - Chinese
CLAUSE_ENDS = (*SENTENCE_ENDS, ",", ";", ":", "、", "，", "-", "–")  # noqa: RUF001 - Chinese
SUBTITLE = "subtitle"  # the label of ranges that a film carries as subtitles
BETWEEN_S = 0.04  # a subtitle goes so long before the next one comes: a frame


class Spoken(NamedTuple):
    """A word, or a stretch of text without known words, and when it is said, in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class CueRules:
    """By what speech is cut into subtitles.

    Attributes:
        max_line: Characters in a line.
        max_lines: Lines in a subtitle.
        max_chars_per_s: Reading speed.
        min_s: A subtitle stays at least so long, if the next one doesn't follow.
        max_s: A subtitle covers at most so much speech.
        pause_s: After so much silence a new subtitle begins.
    """

    max_line: int = 42
    max_lines: int = 2
    max_chars_per_s: float = 20.0
    min_s: float = 1.0
    max_s: float = 7.0
    pause_s: float = 0.8


def cues_of(result: "MediaAnalysisResult", rules: CueRules | None = None) -> list[Cue]:
    """What was transcribed, as subtitles in the order of time.

    Without words and their times, the texts of the result's ranges are spread evenly over them; a
    subtitle never spans two of them then. Subtitles that a film carries keep their times.

    Args:
        result: What transcribed; without a transcription there are no subtitles.
        rules: By what it is cut; as they are by default, if none are given.
    """
    if result.transcription is None:
        return []
    rules = rules or CueRules()
    space = _space_of(result.transcription)
    # Somebody has timed them to the film's pictures.
    timed = not result.transcription.words and any(one.label == SUBTITLE for one in result.ranges)
    groups = [
        group
        for stretch in _stretches(result, result.transcription)
        for group in _groups(stretch, rules, space)
    ]
    cues = []
    for number, group in enumerate(groups):
        follows = groups[number + 1][0].start if number + 1 < len(groups) else float("inf")
        text = space.join(word.text for word in group)
        start = group[0].start
        wanted = group[-1].end
        if not timed:
            wanted = max(wanted, start + rules.min_s, start + len(text) / rules.max_chars_per_s)
        end = min(wanted, max(follows - BETWEEN_S, group[-1].end), max(follows, start))
        cues.append(Cue(start, end, wrapped([word.text for word in group], rules, space)))
    return cues


def _stretches(
    result: "MediaAnalysisResult", transcription: "Transcription"
) -> Iterator[list[Spoken]]:
    """The words; where there are none, the ranges that have a text."""
    if transcription.words:
        texts = ((" ".join(word.text.split()), word) for word in transcription.words)
        yield [Spoken(text, word.start, max(word.end, word.start)) for text, word in texts if text]
    else:
        for found in sorted(result.ranges, key=lambda one: one.start):
            words = str(found.payload.get("text") or "").split()
            yield list(_spread(words, found.start, found.end))


def _spread(words: Sequence[str], start: float, end: float) -> Iterator[Spoken]:
    """Words over a stretch of time, each as long as its letters."""
    letters = sum(map(len, words))
    for word in words:
        until = start + (end - start) * len(word) / letters
        yield Spoken(word, start, until)
        start, letters = until, letters - len(word)


def _space_of(transcription: "Transcription") -> str:
    """What stands between words: nothing where the whole text has hardly any spaces."""
    text, words = transcription.text.strip(), len(transcription.words)
    return "" if text and text.count(" ") < (words - 1) / 2 else " "


def wrapped(words: Sequence[str], rules: CueRules, space: str = " ") -> tuple[str, ...]:
    """The words in as few lines as they fit in, which are as even as can be.

    A word that is longer than a line has a line of its own.
    """
    lines = _filled(words, rules.max_line, space)
    if len(lines) == 1:
        return tuple(lines)
    # The narrowest width that needs no more lines makes them even.
    widths = range(max(map(len, words)), rules.max_line)
    return next(
        (
            tuple(even)
            for even in (_filled(words, width, space) for width in widths)
            if len(even) == len(lines)
        ),
        tuple(lines),
    )


def _filled(words: Sequence[str], width: int, space: str) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(space) + len(word) <= width:
            lines[-1] += space + word
        else:
            lines.append(word)
    return lines


def _groups(words: Sequence[Spoken], rules: CueRules, space: str) -> Iterator[list[Spoken]]:
    group: list[Spoken] = []
    for word in words:
        if group and _has_ended(group, word, rules):
            yield group
            group = []
        while group and _is_full(group, word, rules, space):
            cut = _cut(group)
            yield group[:cut]
            group = group[cut:]
        group.append(word)
    if group:
        yield group


def _has_ended(group: list[Spoken], word: Spoken, rules: CueRules) -> bool:
    """Whether there is a pause or a sentence's end before the word."""
    if word.start - group[-1].end >= rules.pause_s:
        return True
    ended = group[-1].text.endswith(SENTENCE_ENDS)
    return ended and group[-1].end - group[0].start >= rules.min_s


def _is_full(group: list[Spoken], word: Spoken, rules: CueRules, space: str) -> bool:
    """Whether the subtitle has no room or no time for the word."""
    texts = [*(spoken.text for spoken in group), word.text]
    return (
        word.end - group[0].start > rules.max_s
        or len(_filled(texts, rules.max_line, space)) > rules.max_lines
    )


def _cut(group: list[Spoken]) -> int:
    """How many words stay: up to the last comma in the second half, or all."""
    return next(
        (
            place
            for place in range(len(group), len(group) // 2, -1)
            if group[place - 1].text.endswith(CLAUSE_ENDS)
        ),
        len(group),
    )
