"""Completeness: how whole a result is."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from textwrap import shorten
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

MINUTE_S, HOUR_S = 60, 3600
NOTE_LENGTH = 500
# Encoders pad and headers are rounded: less than so much at the end is not missing. Of a short
# recording less is much.
EARLY_S, LEAST_EARLY_S, EARLY_SHARE = 1.0, 0.5, 0.05


class Completeness(BaseModel):
    """What a result lacks because part of its source could not be read; nothing by default.

    Fill in what is known; each field may stay empty. A result with any of them is incomplete: it
    is kept and shown, and nothing is deleted, moved or replaced on the strength of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    missing_s: float | None = Field(None, ge=0, description="Seconds of the source")
    missing_packets: int | None = Field(None, ge=0, description="Packets, frames or samples")
    missing_pages: tuple[int, ...] = Field((), description="Page numbers, counted from 1")
    note: str = Field("", description="One sentence: why it is missing")

    @classmethod
    def of_recording(
        cls, promised_s: float | None, end_s: float, lost_packets: int, lost_s: float = 0.0
    ) -> Self:
        """How whole what was read of a film or a recording is.

        Args:
            promised_s: How long the header says that it is, in seconds; None: it doesn't know.
            end_s: Where what was read ends, in seconds.
            lost_packets: How many packets were damaged.
            lost_s: Seconds before the end of which nothing was found.
        """
        early = 0.0
        if promised_s is not None:
            early = promised_s - end_s
            if early <= min(EARLY_S, max(LEAST_EARLY_S, EARLY_SHARE * promised_s)):
                early = 0.0
        notes = []
        if early:
            notes.append(f"It ends at {end_s:.1f} s, not at {promised_s:.1f} s")
        if lost_packets:
            notes.append(f"{_counted(lost_packets, 'damaged packet')} left out")
        if lost_s:
            notes.append(f"Nothing is found for {lost_s:.1f} s of it")
        return cls(
            missing_s=round(early + lost_s, 3) or None,
            missing_packets=lost_packets or None,
            note="; ".join(notes),
        )

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not (self.missing_s or self.missing_packets or self.missing_pages or self.note)

    def describe(self) -> str:
        """What is missing and why, in one line; empty if nothing is."""
        missing = _listed(self._missing())
        text = f"{missing} missing" if missing else ""
        return ": ".join(filter(None, (text, shorten(self.note, NOTE_LENGTH, placeholder="..."))))

    def _missing(self) -> Iterator[str]:
        if self.missing_s:
            yield _duration(self.missing_s)
        if self.missing_packets:
            yield _counted(self.missing_packets, "packet")
        if self.missing_pages:
            noun = "page" if len(set(self.missing_pages)) == 1 else "pages"
            yield f"{noun} {', '.join(_stretches(self.missing_pages))}"


COMPLETE = Completeness()


def is_complete(completeness: Completeness) -> bool:
    """Whether nothing is missing."""
    return completeness.complete


def _listed(parts: Iterable[str]) -> str:
    *first, last = [*parts] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _duration(seconds: float) -> str:
    if seconds < MINUTE_S:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), MINUTE_S)
    if seconds < HOUR_S:
        return f"{minutes} min {rest} s"
    return f"{minutes // MINUTE_S} h {minutes % MINUTE_S} min"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _stretches(pages: Iterable[int]) -> Iterator[str]:
    """`3`, `7-9`: neighbours as one."""
    ordered = enumerate(sorted(set(pages)))
    for _, group in groupby(ordered, lambda each: each[1] - each[0]):
        numbers = [page for _, page in group]
        yield str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"
