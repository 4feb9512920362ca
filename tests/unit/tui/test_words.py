from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mediahost.tui import words
from mediahost.tui.log_pane import readable

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.text(st.characters(exclude_categories=["C"]), max_size=40), st.integers(0, 30))
def test_what_is_fitted_takes_exactly_its_cells(text: str, width: int) -> None:
    assert cell_len(words.fit(text, width)) == width
    assert cell_len(words.fit_end(text, width)) == width
    assert cell_len(words.right(text, width)) == width


@given(st.floats(-1, 2), st.integers(1, 40))
def test_a_bar_is_as_wide_as_asked(fraction: float, width: int) -> None:
    assert cell_len(words.bar(fraction, width)) == width


def test_of_a_path_the_end_is_kept() -> None:
    assert words.fit_end("/home/ann/tape.mp4", 10) == "…/tape.mp4"
    assert words.fit("a long word", 7) == "a long…"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59, "59s"), (61, "1m"), (7300, "2h"), (200_000, "2d"), (-5, "0s")],
)
def test_an_age_is_told_in_one_unit(seconds: int, text: str) -> None:
    assert words.age(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(None, ""), (7, "7 ms"), (1500, "1.5 s"), (61_000, "1 m 01 s"), (3_700_000, "1 h 01 m")],
)
def test_how_long_something_took(milliseconds: int | None, text: str) -> None:
    assert words.took(milliseconds) == text


def test_places_in_a_recording() -> None:
    assert words.clock(44.12) == "00:44.1"
    assert words.clock(59.96) == "01:00.0"
    assert words.clock(3661, tenths=False) == "1:01:01"


def test_a_log_line_is_shown_without_control_sequences() -> None:
    assert readable("\x1b[31mred\x1b[0m\r") == "red"
    assert readable("10 %\r20 %\r30 %") == "30 %"
    assert readable("bell\x07 \x1b]0;title\x07end") == "bell\\x07 end"
