"""Snippets: what stands around the words that were looked for, the same from every database."""

import re
from collections.abc import Iterable, Iterator

from mediahost.model.search import Term
from mediahost.model.words import spelled, words_of

LONGEST = 240
BEFORE, AFTER = 80, 160
# A run without spaces that is longer than this is searched character by character.
LONGEST_RUN = 40

_RUN = re.compile(r"\S+")


def snippet_of(text: str | None, terms: Iterable[Term]) -> str | None:
    """The part of a text around the first of the words, or all of a short text."""
    if text is None or len(text) <= LONGEST:
        return text
    at = next(_places(text, [term for term in terms if not term.excluded]), 0)
    start, end = max(0, at - BEFORE), min(len(text), at + AFTER)
    if start:
        start = _next_space(text, start, at)
    if end < len(text):
        end = max(text.rfind(" ", at, end), at + 1) if " " in text[at:end] else end
    return f"{'…' if start else ''}{text[start:end].strip()}{'…' if end < len(text) else ''}"


def _next_space(text: str, start: int, at: int) -> int:
    space = text.find(" ", start, at)
    return start if space < 0 else space + 1


def _places(text: str, terms: Iterable[Term]) -> Iterator[int]:
    firsts = [(term.words[0], term.is_open) for term in terms]
    for run in _RUN.finditer(text):
        words = words_of(run[0])
        for first, is_open in firsts:
            if any(word.startswith(first) if is_open else word == first for word in words):
                yield run.start() + (_within(run[0], first) if len(run[0]) > LONGEST_RUN else 0)


def _within(run: str, first: str) -> int:
    width = 2 * len(first) + 2
    places = (at for at in range(len(run)) if spelled(run[at : at + width]).startswith(first))
    return next(places, 0)
