"""How speech is cut into pieces of at most half a minute."""

from collections.abc import Iterator
from itertools import pairwise

from mediahost_speech.pieces import LONGEST_S, Span, grouped, pieces
from mediahost_speech.sound import WINDOW_S, Window

LOUD = b"\x00\x20" * 512
QUIET = b"\x01\x00" * 512


def _windows(seconds: float, quiet_at: float = -1.0) -> Iterator[Window]:
    for number in range(round(seconds / WINDOW_S)):
        start = number * WINDOW_S
        is_quiet = start <= quiet_at < start + WINDOW_S
        yield Window(start, start + WINDOW_S, QUIET if is_quiet else LOUD)


def test_neighbours_are_joined_as_long_as_they_fit() -> None:
    spans = [Span(0, 10), Span(12, 20), Span(21, 29.5), Span(30, 31), Span(90, 91)]
    assert grouped(spans) == [Span(0, 20), Span(21, 31), Span(90, 91)]


def test_a_piece_is_the_sound_of_its_span() -> None:
    found = list(pieces(_windows(20), [Span(2, 5), Span(10, 12)]))
    assert [round(piece.start, 1) for piece in found] == [2.0, 10.0]
    assert [round(piece.end, 1) for piece in found] == [5.0, 12.0]
    assert set(found[0].samples) == {0x00, 0x20}


def test_speech_without_a_pause_is_cut_where_it_is_quietest() -> None:
    found = list(pieces(_windows(60, quiet_at=26.0), [Span(0, 60)]))
    assert abs(found[0].end - 26.0) <= WINDOW_S
    assert all(piece.end - piece.start <= LONGEST_S + 2 * WINDOW_S for piece in found)
    assert all(abs(one.end - other.start) < 1e-6 for one, other in pairwise(found))
    assert abs(found[-1].end - 60) <= WINDOW_S


def test_a_gap_within_a_span_is_silence_of_its_length() -> None:
    windows = [Window(0, WINDOW_S, LOUD), Window(WINDOW_S, 3, None), Window(3, 3 + WINDOW_S, LOUD)]
    (piece,) = pieces(windows, [Span(0, 3.02)])
    assert abs(piece.end - (3 + WINDOW_S)) < 0.001


def test_what_comes_after_the_last_span_is_not_decoded() -> None:
    decoded = []

    def windows() -> Iterator[Window]:
        for window in _windows(100):
            decoded.append(window.start)
            yield window

    assert len(list(pieces(windows(), [Span(1, 2)]))) == 1
    assert decoded[-1] < 2.1
