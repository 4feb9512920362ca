"""`audio.loudness` against EBU's own test signals and against pyloudnorm."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
import pytest

from mediahost import InvalidMedia
from mediahost.testing import run_action
from mediahost_audio import Loudness

Tone = Callable[..., Any]
Wav = Callable[..., Path]


@pytest.mark.parametrize(
    ("stretches", "lufs"),
    [
        (((20, -23),), -23),
        (((20, -33),), -33),
        (((10, -36), (60, -23), (10, -36)), -23),
        (((10, -72), (10, -36), (60, -23), (10, -36), (10, -72)), -23),
    ],
)
def test_the_signals_of_ebu_tech_3341_have_the_loudness_it_says(
    stretches: tuple[tuple[float, float], ...], lufs: float, tone: Tone, wav: Wav
) -> None:
    path = wav(np.concatenate([tone(seconds, level) for seconds, level in stretches]))

    run_action(Loudness(), path).assert_metadata(integrated_lufs=pytest.approx(lufs, abs=0.1))


@pytest.mark.parametrize(
    ("levels", "range_lu"), [((-20, -30), 10), ((-20, -15), 5), ((-40, -20), 20)]
)
def test_the_signals_of_ebu_tech_3342_have_the_range_it_says(
    levels: tuple[float, float], range_lu: float, tone: Tone, wav: Wav
) -> None:
    path = wav(np.concatenate([tone(20, level) for level in levels]))

    run_action(Loudness(), path).assert_metadata(range_lu=pytest.approx(range_lu, abs=1))


def test_a_peak_between_the_samples_is_seen(tone: Tone, wav: Wav) -> None:
    # Sampled at its zero crossings and at 45 degrees beside its peaks: no sample is above -9 dB.
    samples = tone(2, -6, hertz=12_000, phase=45)
    samples *= np.clip(np.minimum(np.arange(96_000), np.arange(96_000)[::-1]) / 9600, 0, 1)[:, None]
    assert np.abs(samples).max() < 10 ** (-8.9 / 20)

    peak = run_action(Loudness(), wav(samples)).metadata["true_peak_dbtp"]

    assert -6.4 <= peak <= -5.8  # as EBU Tech 3341 wants it


@pytest.mark.parametrize("name", ["reading", "film", "low"])
def test_a_real_recording_is_as_loud_as_pyloudnorm_says(
    name: str, samples_of: Callable[[Path], Any], loops: Path, request: pytest.FixtureRequest
) -> None:
    path = loops / "loop_tabla.flac" if name == "low" else request.getfixturevalue(name)
    samples, rate = samples_of(path)
    if name == "film":
        samples = samples[:, [0, 1, 2, 4, 5]]  # the deep channel doesn't count
    judge = pyloudnorm.Meter(rate).integrated_loudness(samples)

    run = run_action(Loudness(), path)

    assert abs(run.metadata["integrated_lufs"] - judge) <= 0.1
    assert run.metadata["duration"] == pytest.approx(len(samples) / rate, abs=0.001)


def test_each_second_has_its_own_loudness(tone: Tone, wav: Wav) -> None:
    path = wav(np.concatenate([tone(2, -40), tone(1, -20), tone(2, -40)]))

    run = run_action(Loudness(), path)

    assert run.metadata["momentary_lufs"][2] == pytest.approx(-20, abs=0.3)
    assert run.metadata["momentary_lufs"][1] == pytest.approx(-40, abs=0.3)
    assert run.metadata["momentary_lufs"][4] == pytest.approx(-40, abs=0.3)
    assert len(run.metadata["momentary_lufs"]) == len(run.metadata["short_term_lufs"]) == 5
    assert "momentary_lufs" not in run_action(Loudness(series=False), path).metadata


def test_silence_has_no_loudness(wav: Wav) -> None:
    run = run_action(Loudness(), wav(np.zeros(48_000 * 4)))

    run.assert_metadata(integrated_lufs=None, true_peak_dbtp=None, range_lu=0, duration=4)
    assert set(run.metadata["momentary_lufs"]) == {None}


def test_what_is_too_short_is_not_measured(tone: Tone, wav: Wav) -> None:
    run_action(Loudness(), wav(tone(0.2, -20))).assert_metadata(
        integrated_lufs=None, range_lu=None, true_peak_dbtp=pytest.approx(-20, abs=0.1)
    )


def test_a_film_without_sound_is_refused(
    film: Path, tmp_path: Path, ffmpeg: Callable[..., Any]
) -> None:
    path = tmp_path / "silent.mp4"
    ffmpeg("-i", film, "-an", "-c", "copy", path)

    with pytest.raises(InvalidMedia, match=r"silent\.mp4 has no sound"):
        run_action(Loudness(), path)


def test_a_recording_that_is_cut_off_is_measured_with_a_warning(
    reading: Path, tmp_path: Path
) -> None:
    path = tmp_path / "half.flac"
    path.write_bytes(reading.read_bytes()[:200_000])

    run = run_action(Loudness(), path)

    assert 5 < run.metadata["duration"] < 15
    assert "not at 44.4 s" in run.result.completeness.describe()
