"""Time ranges."""

import math
from typing import Any

import pytest
from pydantic import ValidationError

from mediahost import TimeRange


def test_a_range_knows_its_duration() -> None:
    assert TimeRange(start=1.5, end=4).duration == 2.5


def test_a_range_may_be_a_moment() -> None:
    assert TimeRange(start=2, end=2, label="beat").duration == 0


def test_a_range_that_ends_before_it_starts_is_refused_in_words() -> None:
    with pytest.raises(ValidationError, match=r"can't end \(1.0 s\) before it starts \(2.0 s\)"):
        TimeRange(start=2, end=1)


@pytest.mark.parametrize(
    "values",
    [
        {"start": -0.1, "end": 1},
        {"start": math.nan, "end": 1},
        {"start": 0, "end": math.inf},
        {"start": 0, "end": 1, "confidence": 1.01},
        {"start": 0, "end": 1, "confidence": math.nan},
        {"start": 0, "end": 1, "label": ""},
        {"start": 0, "end": 1, "payload": {"level": math.nan}},
        {"start": 0, "end": 1, "payload": {"level": object()}},
        {"start": 0, "end": 1, "note": "no such field"},
        {"start": 0},
    ],
)
def test_nonsense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TimeRange(**values)


def test_a_range_does_not_change() -> None:
    found = TimeRange(start=0, end=1)
    with pytest.raises(ValidationError):
        setattr(found, "end", 2.0)  # noqa: B010 - mypy knows that it is read-only
