"""`audio.silence` against known pauses and against the ffmpeg program's silencedetect."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mediahost.testing import run_action
from mediahost_audio import Silence


def test_pauses_are_found_to_the_sample(wav: Callable[..., Path], tone: Callable[..., Any]) -> None:
    # The sine crosses zero at its ends, so that a few samples beside the pause are silent too.
    sounds = [tone(1.5, -20), tone(2, -90), tone(0.7, -20), tone(0.3, -90), tone(0.5, -20)]

    run = run_action(Silence(), wav(np.concatenate(sounds)))

    run.assert_ranges((1.5, 3.5, "silence"), tolerance=0.001)
    run.assert_metadata(duration=5, silence_s=pytest.approx(2, abs=0.001), silence_ranges=1)
    run_action(Silence(min_s=0.2), wav(np.concatenate(sounds))).assert_ranges(
        (1.5, 3.5), (4.2, 4.5), tolerance=0.001
    )


def test_sound_on_one_channel_is_no_silence(
    wav: Callable[..., Path], tone: Callable[..., Any]
) -> None:
    left = tone(3, -20)
    left[:, 1] = 0

    run_action(Silence(), wav(left)).assert_ranges()


def test_silence_goes_to_the_very_end(wav: Callable[..., Path], tone: Callable[..., Any]) -> None:
    run_action(Silence(), wav(np.concatenate([tone(1, -20), tone(1, -90)]))).assert_ranges(
        (1, 2), tolerance=0.001
    )


@pytest.mark.parametrize(("noise_db", "min_s"), [(-40, 0.3), (-45, 0.1), (-35, 0.5)])
def test_the_pauses_of_a_reader_are_those_of_the_ffmpeg_program(
    noise_db: float, min_s: float, reading: Path, ffmpeg: Callable[..., Any]
) -> None:
    printed = ffmpeg(
        "-i", reading, "-af", f"silencedetect=n={noise_db}dB:d={min_s}", "-f", "null", "-"
    ).stderr.decode()
    starts, ends = (
        [float(time) for time in re.findall(rf"silence_{edge}: ([\d.]+)", printed)]
        for edge in ("start", "end")
    )
    assert len(starts) >= 5

    run = run_action(Silence(noise_db=noise_db, min_s=min_s), reading)

    run.assert_ranges(
        *((start, end, "silence") for start, end in zip(starts, ends, strict=True)),
        tolerance=0.002,
    )
