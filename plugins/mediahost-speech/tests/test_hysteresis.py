"""The rules by which probabilities become stretches, on numbers that can be read."""

import pytest

from mediahost_speech.hysteresis import Moment, Stretch, find_speech, padded


def _found(
    probabilities: list[float], min_speech_s: float = 0, min_silence_s: float = 0
) -> list[tuple[float, float, float]]:
    moments = [Moment(at, at + 1, value) for at, value in enumerate(probabilities)]
    stretches = find_speech(
        moments,
        threshold=0.5,
        min_speech_s=min_speech_s,
        min_silence_s=min_silence_s,
        window_s=1,
    )
    return [(found.start, found.end, round(found.probability, 3)) for found in stretches]


def test_speech_begins_at_the_threshold_and_ends_well_below_it() -> None:
    assert _found([0.1, 0.4, 0.5, 0.9, 0.4, 0.36, 0.34, 0.1]) == [(2, 6, 0.54)]


def test_a_silence_ends_speech_only_when_it_is_long_enough() -> None:
    assert _found([0.9, 0.1, 0.9], min_silence_s=1) == [(0, 3, 0.633)]
    assert _found([0.9, 0.1, 0.1, 0.9], min_silence_s=1) == [(0, 1, 0.9), (3, 4, 0.9)]


def test_a_silence_counts_from_its_beginning_even_where_the_probability_wavers() -> None:
    assert _found([0.9, 0.1, 0.4, 0.1, 0.9], min_silence_s=2) == [(0, 1, 0.9), (4, 5, 0.9)]


def test_speech_that_is_too_short_is_dropped() -> None:
    assert _found([0.9, 0.1, 0.9, 0.9, 0.1, 0.9], min_speech_s=1) == [(2, 4, 0.9)]


def test_speech_that_lasts_to_the_end_ends_there() -> None:
    assert _found([0.1, 0.9, 0.9]) == [(1, 3, 0.9)]


def test_nothing_heard_is_no_speech() -> None:
    assert _found([]) == []


def test_padding_stops_at_the_beginning_the_end_and_halfway_to_a_neighbour() -> None:
    stretches = [Stretch(0.5, 2, 1), Stretch(3, 4, 1), Stretch(9, 9.5, 1)]
    longer = [(found.start, found.end) for found in padded(stretches, 1, 10)]
    assert longer == [(0, 2.5), (2.5, 5), (8, 10)]


def test_a_gap_longer_than_the_silence_ends_speech() -> None:
    moments = [Moment(0, 1, 0.9), Moment(1, 100, 0), Moment(100, 101, 0.9)]
    stretches = find_speech(moments, threshold=0.5, min_speech_s=0, min_silence_s=5, window_s=1)
    assert [(found.start, found.end) for found in stretches] == [(0, 1), (100, 101)]
    assert padded([], 1, 0) == []


@pytest.mark.parametrize("threshold", [0.05, 0.1])
def test_a_low_threshold_can_still_be_left(threshold: float) -> None:
    moments = [Moment(0, 1, 0.9), Moment(1, 2, 0.0), Moment(2, 3, 0.0)]
    stretches = list(
        find_speech(moments, threshold=threshold, min_speech_s=0, min_silence_s=0, window_s=1)
    )
    assert [(found.start, found.end) for found in stretches] == [(0, 1)]


def test_speech_that_is_too_long_is_cut_where_it_is_least_speech() -> None:
    values = [0.9] * 6 + [0.6] + [0.9] * 5
    moments = [Moment(at, at + 1, value) for at, value in enumerate(values)]
    found = list(
        find_speech(
            moments, threshold=0.5, min_speech_s=0, min_silence_s=1, window_s=1, longest_s=8
        )
    )
    assert [(one.start, one.end, one.goes_on) for one in found] == [(0, 6, True), (6, 12, False)]
    assert [round(one.probability, 3) for one in found] == [0.9, 0.85]
