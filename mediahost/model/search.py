"""Searches: what is looked for in results, and what is found."""

import re
from dataclasses import dataclass

from mediahost.model.words import query_of

_TERM = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')


@dataclass(frozen=True, slots=True)
class Term:
    """Words in a row that a passage must have, or must not have.

    Attributes:
        text: One word, or several in a row.
        prefix: The last word may go on.
        excluded: A passage that has them is not meant.
    """

    text: str
    prefix: bool = False
    excluded: bool = False

    @property
    def words(self) -> list[str]:
        """The words in the one spelling: see `mediahost.model.words`."""
        return query_of(self.text)[0]

    @property
    def is_open(self) -> bool:
        """Whether the last word may go on."""
        return self.prefix or query_of(self.text)[1]


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for. All conditions hold for each thing that is found.

    Attributes:
        terms: Words; none: time ranges are looked for, not texts.
        label: What it is: speech, scene, page, summary...
        min_s: It is this long at least, in seconds.
        from_s, to_s: Some of it is in this stretch of the file, in seconds.
        limit: Find so many at most.

    Raises:
        ValueError: The limit is negative, or there is nothing to look for.
    """

    terms: tuple[Term, ...] = ()
    label: str | None = None
    min_s: float | None = None
    from_s: float | None = None
    to_s: float | None = None
    limit: int = 20

    def __post_init__(self) -> None:
        if self.limit < 0:
            raise ValueError(f"A limit can't be negative, but it is {self.limit}")
        if not self.terms and self.label is None and self.min_s is None:
            raise ValueError("There is nothing to look for")
        if self.from_s is not None and self.to_s is not None and self.from_s > self.to_s:
            raise ValueError("The stretch to look in ends before it begins")
        if self.terms and all(term.excluded for term in self.terms):
            raise ValueError("There are only words that must not be there")


@dataclass(frozen=True, slots=True)
class Found:
    """A passage of a result.

    Attributes:
        media_url: The media file, as text.
        file_hash: Hash of its content.
        action: Name of the action that found it; None: it was saved without the host.
        kind: range, speech, page, text or summary.
        label: What it is.
        start_s, end_s: Where it is, in seconds, or None.
        page: Number of the page, from 1, or None.
        snippet: The text around the words, without the label; None: there is none.
    """

    media_url: str
    file_hash: str
    action: str | None
    kind: str
    label: str
    start_s: float | None = None
    end_s: float | None = None
    page: int | None = None
    snippet: str | None = None


def terms_of(text: str) -> tuple[Term, ...]:
    """What a person typed, as terms. Anything may be typed: no character has power over it.

    Raises:
        ValueError: There is no word in it.
    """
    terms = []
    # Bytes of a terminal that are no text part words too.
    typed = text.replace("\0", " ").encode(errors="replace").decode()
    for minus, phrase, word in _TERM.findall(typed):
        term = Term(phrase or word, not phrase and word.endswith("*"), bool(minus))
        if term.words:
            terms.append(term)
    if text and not terms:
        raise ValueError(f"There is no word in {text!r}")
    return tuple(terms)
