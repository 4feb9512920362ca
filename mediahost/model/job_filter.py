"""Filters of jobs, as people write them: `state:failed -plugin:ocr* age<2d dur>5m "two words"`.

A space is AND, a comma OR, `-` in front NOT. What names no field is looked for in the media file's
path, the action and the error.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from mediahost.model.job import JobStatus
from mediahost.model.paths import expanded

Comparison = Literal["<", "<=", ">", ">=", "="]
Value = str | float | bool

TEXT = "text"
CANCELLING = "cancelling"
STATES = (*map(str, JobStatus), CANCELLING)
YES_AND_NO = {"yes": True, "true": True, "no": False, "false": False}

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
# A thousand years: calendars and databases count little further.
LONGEST_S = 1000 * 365.25 * 86_400
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])?")
_TERM = re.compile(r"(-?)([a-z]+)(<=|>=|[:<>=])")
_KINDS: dict[str, Literal["state", "glob", "duration", "number", "yes", "words"]] = {
    "state": "state",
    "action": "glob",
    "plugin": "glob",
    "media": "glob",
    "source": "glob",
    "pipeline": "glob",
    "job": "number",
    "try": "number",
    "age": "duration",
    "dur": "duration",
    "cached": "yes",
    "unresolved": "yes",
    "err": "words",
}
FIELDS = tuple(_KINDS)
_COMPARED = frozenset(name for name, kind in _KINDS.items() if kind in {"duration", "number"})


class InvalidFilter(ValueError):
    """A filter that can't be understood.

    Attributes:
        message: One sentence.
        hint: What to do about it, or None.
        start, end: Where in the text the trouble is.
    """

    def __init__(self, message: str, start: int, end: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.start = start
        self.end = end


@dataclass(frozen=True, slots=True)
class Term:
    """One condition.

    Attributes:
        field: One of `FIELDS`, or `text` for words that name no field.
        comparison: `=` where any of the values will do.
        values: Durations in seconds; paths with `~` written out.
        negated: The opposite is meant.
        start, end: Where it stands in the text.
    """

    field: str
    comparison: Comparison
    values: tuple[Value, ...]
    negated: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Conditions that all hold, and the text that they were read from."""

    text: str = ""
    terms: tuple[Term, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "JobFilter":
        """The filter that a text means.

        Raises:
            InvalidFilter: It can't be understood; the error knows where.
        """
        return cls(text, tuple(_term(text, start, end) for start, end in _words(text)))

    def values_of(self, field: str) -> tuple[Value, ...]:
        """The values of the first term of a field that is not negated."""
        return next((t.values for t in self.terms if t.field == field and not t.negated), ())

    def with_values(self, field: str, values: tuple[str, ...]) -> str:
        """The filter's text with other values of a field; none takes the field out."""
        kept, position = [], 0
        for term in self.terms:
            if term.field == field and not term.negated:
                kept.append(self.text[position : term.start])
                position = term.end
        rest = " ".join("".join([*kept, self.text[position:]]).split())
        wanted = f"{field}:{','.join(values)}" if values else ""
        return " ".join(part for part in (wanted, rest) if part)


def _words(text: str) -> Iterator[tuple[int, int]]:
    """Where each word is; a space between double quotes parts none."""
    start, quoted = None, None
    for at, char in enumerate(text):
        if char == '"':
            quoted = None if quoted is not None else at
        if char.isspace() and quoted is None:
            if start is not None:
                yield start, at
            start = None
        elif start is None:
            start = at
    if quoted is not None:
        raise InvalidFilter("A double quote is not closed", quoted, len(text))
    if start is not None:
        yield start, len(text)


def _term(text: str, start: int, end: int) -> Term:
    named = _TERM.match(text, start, end)
    if named is None:
        negated = text[start] == "-" and end - start > 1
        word = text[start + negated : end].replace('"', "")
        return Term(TEXT, "=", (word,), negated, start, end)
    minus, field, sign = named.groups()
    if field not in _KINDS:
        close = get_close_matches(field, FIELDS, n=1)
        suggestion = f"; did you mean {close[0]}?" if close else ""
        raise InvalidFilter(
            f"There is no filter {field!r}{suggestion}",
            start + len(minus),
            named.end(2),
            f"There are: {', '.join(FIELDS)}. Put words to look for in double quotes.",
        )
    if sign in "<>=" and sign != "=" and field not in _COMPARED:
        raise InvalidFilter(f"{field} can't be compared; write {field}:...", start, named.end())
    values = tuple(_value(field, text[at:to], at, to) for at, to in _parts(text, named.end(), end))
    if not values:
        raise InvalidFilter(f"{field} wants a value behind it", start, end)
    return Term(field, _comparison(sign), values, bool(minus), start, end)


def _comparison(sign: str) -> Comparison:
    signs: dict[str, Comparison] = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}
    return signs.get(sign, "=")


def _parts(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where each value of a list is; a comma between double quotes parts none."""
    at, quoted = start, False
    for position in range(start, end):
        if text[position] == '"':
            quoted = not quoted
        elif text[position] == "," and not quoted:
            if position > at:
                yield at, position
            at = position + 1
    if end > at:
        yield at, end


def _value(field: str, written: str, start: int, end: int) -> Value:
    plain = written.replace('"', "")
    match _KINDS[field]:
        case "state":
            return _one_of(plain.lower(), STATES, "state", start, end)
        case "yes":
            return YES_AND_NO[_one_of(plain.lower(), tuple(YES_AND_NO), "answer", start, end)]
        case "number":
            if not (plain.isascii() and plain.isdecimal() and len(plain) < 19):  # noqa: PLR2004 - 63 bits
                raise InvalidFilter(f"{field} wants a whole number, not {plain!r}", start, end)
            return float(plain)
        case "duration":
            found = _DURATION.fullmatch(plain)
            if found is None:
                raise InvalidFilter(
                    f"{field} wants a duration such as 90s, 5m, 2h or 3d, not {plain!r}", start, end
                )
            return min(float(found[1]) * _SECONDS[found[2] or "s"], LONGEST_S)
        case _:
            return str(expanded(plain)) if plain.startswith("~/") else plain


def _one_of(word: str, known: tuple[str, ...], noun: str, start: int, end: int) -> str:
    if word in known:
        return word
    close = get_close_matches(word, known, n=1)
    suggestion = f"; did you mean {close[0]}?" if close else ""
    raise InvalidFilter(
        f"There is no {noun} {word!r}{suggestion}", start, end, f"There are: {', '.join(known)}."
    )
