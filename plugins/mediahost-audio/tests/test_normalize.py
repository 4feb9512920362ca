"""`audio.normalize`: copies that are as loud as asked for, by an independent meter."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
import pytest

from mediahost import InvalidMedia
from mediahost.testing import run_action
from mediahost_audio import Normalize

SamplesOf = Callable[[Path], Any]


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("flac", "audio/flac"),
        ("wav", "audio/wav"),
        ("m4a", "audio/mp4"),
        ("mp3", "audio/mpeg"),
        ("opus", "audio/ogg"),
    ],
)
def test_a_copy_in_any_format_is_as_loud_as_wanted(
    name: str, mime_type: str, loops: Path, samples_of: SamplesOf
) -> None:
    run = run_action(Normalize.configured({"format": name}), loops / "loop_garzul.flac")

    run.assert_artifact(asset_type="audio", mime_type=mime_type)
    run.assert_metadata(target_reached=True)
    samples, rate = samples_of(run.artifacts[0].path)
    assert pyloudnorm.Meter(rate).integrated_loudness(samples) == pytest.approx(-16, abs=0.25)


def test_a_quiet_reading_is_lifted_and_its_peaks_held_under_the_ceiling(
    reading: Path, samples_of: SamplesOf
) -> None:
    run = run_action(Normalize(target_lufs=-14, ceiling_dbtp=-2), reading)

    samples, rate = samples_of(run.artifacts[0].path)
    assert pyloudnorm.Meter(rate).integrated_loudness(samples) == pytest.approx(-14, abs=0.25)
    run.assert_metadata(limited=True, target_reached=True)
    assert 20 * np.log10(_true_peak(samples[:, 0])) <= -1.9
    assert run.metadata["before"]["integrated_lufs"] == pytest.approx(-35.7, abs=0.1)


def test_without_limiting_each_sample_is_the_old_one_times_the_gain(
    loops: Path, samples_of: SamplesOf
) -> None:
    path = loops / "loop_mika.flac"

    run = run_action(Normalize(target_lufs=-23), path)

    run.assert_metadata(limited=False, target_reached=True)
    before, _ = samples_of(path)
    after, _ = samples_of(run.artifacts[0].path)
    gain = 10 ** (run.metadata["gain_db"] / 20)
    assert len(after) == len(before)
    # The gain is told with 2 decimals, the rest is rounding to 16 bits with its noise.
    assert np.abs(after - before * gain).max() < 3 / 32768 + 0.001


def test_a_target_out_of_reach_is_said(loops: Path) -> None:
    run = run_action(Normalize(target_lufs=-5, ceiling_dbtp=-9), loops / "loop_amen_full.flac")

    run.assert_metadata(target_reached=False, limited=True)


def test_title_and_channels_are_kept(
    film: Path, tmp_path: Path, ffmpeg: Callable[..., Any]
) -> None:
    path = tmp_path / "tagged.mp4"
    ffmpeg("-i", film, "-c", "copy", "-metadata", "title=Bunny", path)

    run = run_action(Normalize(), path)

    printed = ffmpeg("-i", run.artifacts[0].path, "-f", "null", "-").stderr.decode()
    assert re.search(r"title\s*: Bunny", printed, re.IGNORECASE)
    assert re.search(r"Audio: flac, 48000 Hz, 5\.1", printed)
    assert "Video:" not in printed


def test_silence_is_refused(wav: Callable[..., Path]) -> None:
    with pytest.raises(InvalidMedia, match=r"nothing loud enough.*sound\.wav"):
        run_action(Normalize(), wav(np.zeros(48_000)))


def _true_peak(samples: Any) -> float:
    """The highest point of the curve through the samples, on 4 times as many."""
    spectrum = np.fft.rfft(samples)
    padded = np.concatenate([spectrum, np.zeros(3 * len(samples) // 2)])
    return float(np.abs(np.fft.irfft(padded, 4 * len(samples)) * 4).max())
