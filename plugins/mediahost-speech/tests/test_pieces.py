"""How speech is packed into pieces of at most half a minute, while it is heard."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest

from mediahost_speech.pieces import LONGEST_S, Part, Piece, heard_parts, known_parts, packed
from mediahost_speech.sound import SAMPLE_RATE, WINDOW_S, Window

LOUD = b"\x00\x20" * 512
QUIET = b"\x01\x00" * 512


def _windows(seconds: float, quiet_at: float = -1.0) -> Iterator[Window]:
    for number in range(round(seconds / WINDOW_S)):
        start = number * WINDOW_S
        is_quiet = start <= quiet_at < start + WINDOW_S
        yield Window(start, start + WINDOW_S, QUIET if is_quiet else LOUD)


def _heard(
    seconds: float, *spoken: tuple[float, float], doubt_at: float = -1.0
) -> Iterator[tuple[Window, float]]:
    for window in _windows(seconds):
        speech = any(start <= window.start < end for start, end in spoken)
        doubted = window.start <= doubt_at < window.end
        yield window, (0.6 if doubted else 0.9) if speech else 0.0


def _part(start: float, seconds: float) -> Part:
    return Part(start, bytes(round(seconds * SAMPLE_RATE) * 2))


def _times(parts: Iterable[Part]) -> list[tuple[float, float]]:
    return [(round(part.start, 1), round(part.end, 1)) for part in parts]


def test_as_many_parts_as_fit_are_packed_into_a_piece() -> None:
    parts = [_part(0, 10), _part(40, 12), _part(60, 8), _part(90, 1), _part(100, 29.5)]
    found = [_times(piece.parts) for piece in packed(parts)]
    assert found == [[(0, 10), (40, 52), (60, 68)], [(90, 91)], [(100, 129.5)]]


def test_a_time_in_a_piece_is_a_time_in_the_file() -> None:
    piece = Piece((_part(10, 5), _part(40, 5)))
    assert piece.in_file(1, 2) == (11, 12)
    assert piece.in_file(6, 7) == (41, 42)
    # A word is in the part where most of it is, and ends with it.
    assert piece.in_file(4.5, 5.2) == (14.5, 15)
    assert piece.in_file(4.9, 6) == (40, 41)
    assert piece.in_file(9.5, 12) == (44.5, 45)
    assert (piece.end, len(piece.samples)) == (45, 10 * SAMPLE_RATE * 2)


def test_a_part_is_speech_with_its_breath() -> None:
    assert _times(heard_parts(_heard(20, (2, 5), (10, 12)))) == [(1.8, 5.2), (9.8, 12.2)]
    assert _times(heard_parts(_heard(5, (0, 1), (4, 5)))) == [(0, 1.2), (3.8, 5)]


def test_a_part_is_there_as_soon_as_it_is_over() -> None:
    heard = 0.0

    def counted() -> Iterator[tuple[Window, float]]:
        nonlocal heard
        for window, probability in _heard(60, (2, 5), (50, 52)):
            heard = window.end
            yield window, probability

    next(heard_parts(counted()))
    assert heard < 5.7


def test_speech_without_a_pause_is_cut_where_it_is_least_speech() -> None:
    found = list(heard_parts(_heard(100, (1, 99), doubt_at=26.0)))
    assert abs(found[0].end - 26.0) <= WINDOW_S
    assert all(part.seconds <= LONGEST_S for part in found)
    assert all(abs(one.end - other.start) < 1e-6 for one, other in pairwise(found))
    assert _times(found)[-1][1] == pytest.approx(99.2, abs=0.1)


def test_known_speech_is_taken_and_short_pauses_stay_in_it() -> None:
    found = _times(known_parts(_windows(20), [(2, 5), (5.2, 6), (10, 12)]))
    assert found == [(1.8, 6.2), (9.8, 12.2)]


def test_known_speech_without_a_pause_is_cut_where_it_is_quietest() -> None:
    found = list(known_parts(_windows(60, quiet_at=26.0), [(0, 60)]))
    assert abs(found[0].end - 26.0) <= WINDOW_S
    assert all(part.seconds <= LONGEST_S for part in found)
    assert all(abs(one.end - other.start) < 1e-6 for one, other in pairwise(found))
    assert abs(found[-1].end - 60) <= WINDOW_S


def test_a_gap_within_speech_is_silence_of_its_length() -> None:
    windows = [Window(0, WINDOW_S, LOUD), Window(WINDOW_S, 3, None), Window(3, 3 + WINDOW_S, LOUD)]
    (part,) = known_parts(windows, [(0, 3.02)])
    assert abs(part.end - (3 + WINDOW_S)) < 0.001


def test_what_comes_after_the_last_known_speech_is_not_decoded() -> None:
    decoded = []

    def windows() -> Iterator[Window]:
        for window in _windows(100):
            decoded.append(window.start)
            yield window

    assert len(list(known_parts(windows(), [(1, 2)]))) == 1
    assert decoded[-1] < 2.4
