"""`audio.beats` on music of known tempo and on metronomes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mediahost.errors import InvalidConfig
from mediahost.testing import run_action
from mediahost_audio import Beats

Clicks = Callable[..., tuple[Any, list[float]]]
Wav = Callable[..., Path]

# As long as so many beats: see media/ATTRIBUTION.md.
LOOPS = {
    "amen": 136.9,
    "amen_full": 140.0,
    "breakbeat": 126.0,
    "compus": 148.0,
    "garzul": 120.0,
    "mika": 120.0,
    "safari": 119.9,
    "tabla": 89.9,
}


@pytest.mark.parametrize(("name", "bpm"), LOOPS.items())
def test_the_tempo_of_a_loop_is_within_1_percent(name: str, bpm: float, loops: Path) -> None:
    run = run_action(Beats(), loops / f"loop_{name}.flac")

    run.assert_metadata(tempo_bpm=pytest.approx(bpm, rel=0.01))
    assert run.metadata["tempo_confidence"] > 0.2


@pytest.mark.parametrize(
    ("bpm", "min_bpm"), [(72, 60), (97, 60), (120, 60), (133.3, 60), (175, 90)]
)
def test_a_metronome_is_followed_click_by_click(
    bpm: float, min_bpm: float, clicks: Clicks, wav: Wav
) -> None:
    samples, times = clicks(bpm, 20)

    run = run_action(Beats(min_bpm=min_bpm), wav(samples, rate=22_050))

    run.assert_metadata(tempo_bpm=pytest.approx(bpm, rel=0.005), beats=len(times))
    assert [found.start for found in run.ranges] == pytest.approx(times, abs=0.02)
    assert all(found.label == "beat" for found in run.ranges)


def test_beats_follow_a_swaying_player(clicks: Clicks, wav: Wav) -> None:
    samples, times = clicks(110, 30, sway=0.05)

    run = run_action(Beats(), wav(samples, rate=22_050))

    found = np.array([one.start for one in run.ranges])
    missed = [time for time in times if np.abs(found - time).min() > 0.05]
    assert not missed
    assert len(found) == len(times)


def test_each_beat_goes_up_to_the_next(loops: Path) -> None:
    run = run_action(Beats(), loops / "loop_mika.flac")

    assert run.metadata["beats"] == len(run.ranges) == 16
    for one, following in zip(run.ranges, run.ranges[1:], strict=False):
        assert one.end == following.start
    assert run.ranges[-1].end <= run.metadata["duration"]


def test_a_tempo_is_looked_for_within_the_bounds(loops: Path) -> None:
    run = run_action(Beats(min_bpm=200, max_bpm=300), loops / "loop_mika.flac")

    run.assert_metadata(tempo_bpm=pytest.approx(240, rel=0.01))


def test_silence_and_noise_have_no_steady_beat(wav: Wav) -> None:
    run_action(Beats(), wav(np.zeros(22_050 * 5), rate=22_050)).assert_ranges().assert_metadata(
        tempo_bpm=None, tempo_confidence=0, beats=0
    )
    noise = np.random.default_rng(1).normal(0, 0.1, 22_050 * 10).clip(-1, 1)
    assert run_action(Beats(), wav(noise, rate=22_050)).metadata["tempo_confidence"] < 0.1


def test_a_blink_of_sound_has_no_tempo(wav: Wav) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 2_000).clip(-1, 1)

    run_action(Beats(), wav(noise, rate=22_050)).assert_ranges()


def test_the_bounds_are_in_order() -> None:
    with pytest.raises(InvalidConfig, match="min_bpm"):
        Beats.configured({"min_bpm": 180, "max_bpm": 90})
