"""`audio.chapters`: a recording cut at its long pauses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mediahost.testing import run_action
from mediahost_audio import Chapters
from mediahost_audio.chapters import begins


def test_a_recording_is_cut_where_sound_comes_back(
    wav: Callable[..., Path], tone: Callable[..., Any]
) -> None:
    sounds = [tone(3, -20), tone(2, -90), tone(4, -20), tone(1, -90), tone(3, -20)]
    recording = wav(np.concatenate(sounds))

    run = run_action(Chapters(min_s=2), recording)

    run.assert_ranges((0, 5, "chapter"), (5, 13, "chapter"), tolerance=0.001)
    run.assert_metadata(duration=13, chapters=2)
    assert [found.payload["title"] for found in run.ranges] == ["Chapter 1", "Chapter 2"]
    run_action(Chapters(min_s=2, pause_s=0.5), recording).assert_ranges(
        (0, 5), (5, 10), (10, 13), tolerance=0.001
    )


@pytest.mark.parametrize(
    ("pauses", "starts"),
    [
        ([], [0.0]),
        ([(10, 12), (20, 25)], [0.0, 25.0]),  # the longer one; they are too close for both
        ([(50, 52), (20, 22)], [0.0, 22.0, 52.0]),
        ([(2, 4), (90, 95)], [0.0]),  # nothing short at the beginning and at the end
    ],
)
def test_the_longest_pauses_go_first_and_no_chapter_is_short(
    pauses: list[tuple[float, float]], starts: list[float]
) -> None:
    assert begins(pauses, 100, 20) == starts


def test_a_reader_without_long_pauses_is_one_chapter(reading: Path) -> None:
    run = run_action(Chapters(), reading)
    assert len(run.ranges) == 1
    assert run.ranges[0].end == pytest.approx(44.374, abs=0.01)
