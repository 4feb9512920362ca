import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediahost.model.result import Transcription, Word
from mediahost.tui.lanes import Lane, bars, plot, ticks
from mediahost.tui.parts import transcript_lines

SPANS = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 10)), max_size=20)


def lane(*spans: tuple[float, float]) -> Lane:
    return Lane("speech", spans)


def test_half_cells_tell_where_a_range_begins_and_ends() -> None:
    assert bars(lane((0, 5), (7.5, 10)), 0, 10, 4) == "██ █"
    assert bars(lane((1.25, 5)), 0, 10, 4) == "▐█  "
    assert bars(lane((0, 6.2)), 0, 10, 4) == "██▌ "


def test_the_shortest_range_is_still_seen() -> None:
    assert bars(lane((5, 5)), 0, 10, 4) == "  ▌ "
    assert bars(lane((9.999, 10)), 0, 10, 4) == "   ▐"


def test_only_what_is_in_sight_is_drawn() -> None:
    assert bars(lane((0, 4), (8, 9)), 4, 8, 4) == "    "
    assert bars(lane((0, 100)), 4, 8, 4) == "████"


@given(SPANS, st.floats(0, 50), st.floats(0.1, 100), st.integers(1, 120))
def test_a_lane_is_as_wide_as_asked(
    spans: list[tuple[float, float]], start: float, span: float, width: int
) -> None:
    line = bars(lane(*((at, at + long) for at, long in spans)), start, start + span, width)
    assert len(line) == width
    assert set(line) <= set(" ▌▐█")


@given(st.floats(0, 10_000), st.floats(0.1, 100_000), st.integers(1, 200))
def test_ticks_are_in_order_and_in_sight(start: float, span: float, width: int) -> None:
    found = ticks(start, start + span, width)
    assert [cell for cell, _ in found] == sorted(cell for cell, _ in found)
    assert all(0 <= cell < width for cell, _ in found)


def test_a_plot_goes_from_an_eighth_to_the_full_height() -> None:
    assert plot([0, 1], 2, 1) == ["▁█"]
    assert plot([0, None, 1], 3, 2) == ["  █", "▁ █"]
    assert plot([], 5, 2) == []


@given(st.lists(st.none() | st.floats(-100, 100), max_size=50), st.integers(1, 60))
def test_a_plot_fills_its_width(values: list[float | None], width: int) -> None:
    for line in plot(values, width, 3):
        assert len(line) == width


@pytest.mark.parametrize("space", ["", " "])
def test_a_transcript_breaks_after_sentences(space: str) -> None:
    texts = ("It", "was", "late.", "Then", "rain.")
    words = tuple(Word(text=space + t, start=i, end=i + 0.5) for i, t in enumerate(texts))
    said = Transcription(provider="test", text="", words=words)
    assert list(transcript_lines(said)) == [(0.0, "It was late."), (3.0, "Then rain.")]
