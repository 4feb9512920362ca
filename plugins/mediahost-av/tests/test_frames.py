from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mediahost import InvalidMedia, MediaAnalysisResult, TimeRange
from mediahost.errors import InvalidConfig
from mediahost.testing import ActionRun, run_action
from mediahost_av import Frames, Thumbnail

Ffmpeg = Callable[..., Any]


@pytest.mark.parametrize("name", ["slow_to_seek", "clip", "transport_stream", "cueless"])
def test_each_picture_is_the_frame_on_view_at_its_time(
    name: str, ffmpeg: Ffmpeg, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(name)
    times = (0.0, 0.05, 1.0, 1.01, 3.5, 4.81)

    run = run_action(Frames(times=times, format="png"), path)

    # In the transport stream the sound is the first to begin. At 25 frames per second, 1.0 and
    # 1.01 s show the same frame.
    first = 0.021 if name == "transport_stream" else 0.0
    shown = [first + number / 25 for number in _numbers(times, first)]
    assert run.metadata["timestamps"] == pytest.approx(shown, abs=0.003)
    film = _film(ffmpeg, path)
    for picture, number in zip(_pictures(run), _numbers(times, first), strict=True):
        distances = [np.abs(picture - frame).mean() for frame in film]
        assert distances[number] < 3
        assert abs(int(np.argmin(distances)) - number) <= 1  # nothing may have moved


def test_regular_frames_come_at_their_times(clip: Path) -> None:
    run = run_action(Frames(every_s=1), clip)

    run.assert_metadata(timestamps=[0, 1, 2, 3, 4, 5], frames=6, width=320, height=180)
    assert [artifact.metadata["timestamp"] for artifact in run.artifacts] == [0, 1, 2, 3, 4, 5]
    run.assert_artifact(asset_type="frame", mime_type="image/jpeg")


def test_a_count_of_frames_comes_from_all_over_the_film(clip: Path) -> None:
    run = run_action(Frames(count=3, max_width=64), clip)

    assert run.metadata["timestamps"] == pytest.approx([0.88, 2.64, 4.4], abs=0.04)
    run.assert_metadata(width=64, height=36)


def test_each_scene_that_was_found_before_gives_a_frame(clip: Path) -> None:
    found = MediaAnalysisResult(
        ranges=(TimeRange(start=0, end=2, label="scene"), TimeRange(start=2, end=5, label="scene"))
    )

    run = run_action(Frames(ranges=True), clip, inputs={"scenes.detect": found})

    run.assert_metadata(timestamps=[1.0, 3.48])
    with pytest.raises(InvalidMedia, match="No step before found a time range"):
        run_action(Frames(ranges=True), clip)


def test_frames_from_a_phone_are_upright(sideways: Path) -> None:
    run_action(Frames(count=1), sideways).assert_metadata(width=180, height=320)


def test_every_frame_can_be_had(clip: Path) -> None:
    run = run_action(Frames(every_s=0.01, max_width=32), clip)

    run.assert_metadata(frames=132)


def test_too_many_frames_are_refused(clip: Path) -> None:
    with pytest.raises(InvalidMedia, match="would give 6 frames; 5 is the most"):
        run_action(Frames(every_s=1, max_frames=5), clip)


def test_times_after_the_end_are_left_out_and_said(clip: Path) -> None:
    run = run_action(Frames(times=(1, 60)), clip)

    run.assert_metadata(frames=1)
    assert run.log == ["1 of 2 times are after the film's end"]
    with pytest.raises(InvalidMedia, match=r"ends at 5\.\d+ s"):
        run_action(Frames(times=(60,)), clip)


def test_one_choice_of_times_is_enough() -> None:
    with pytest.raises(InvalidConfig, match="give times or count, not both"):
        Frames.configured({"times": [1], "count": 3})
    with pytest.raises(InvalidConfig, match="give every_s or count, not both"):
        Frames.configured({"every_s": 2, "count": 3})


def test_a_thumbnail_is_neither_black_nor_plain(clip: Path, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    # Black but for the second from 3 s on.
    path = tmp_path / "dark.mp4"
    ffmpeg(
        *("-i", clip, "-an", "-vf", "drawbox=t=fill:c=black:enable='not(between(t,3,3.99))'"),
        *("-g", "5", path),
    )

    run = run_action(Thumbnail(max_width=160), path)

    assert 3 <= run.metadata["timestamp"] < 4
    run.assert_metadata(width=160, height=90)
    run.assert_artifact(asset_type="thumbnail", mime_type="image/jpeg")
    with Image.open(run.artifacts[0].path) as image:
        assert np.asarray(image).mean() > 50


def test_a_thumbnail_comes_from_the_time_asked_for(clip: Path) -> None:
    run_action(Thumbnail(at_s=2.5), clip).assert_metadata(timestamp=2.48)
    with pytest.raises(InvalidMedia, match="ends at"):
        run_action(Thumbnail(at_s=9), clip)


def _numbers(times: tuple[float, ...], first: float) -> list[int]:
    """Which frames are on view at the times, each once."""
    return sorted({max(int((seconds - first) * 25 + 0.01), 0) for seconds in times})


def _pictures(run: ActionRun) -> list[Any]:
    pictures = []
    for artifact in run.artifacts:
        with Image.open(artifact.path) as image:
            pictures.append(np.asarray(image).astype(int))
    return pictures


def _film(ffmpeg: Ffmpeg, path: Path) -> Any:
    """All frames of the film, as the ffmpeg program shows them."""
    data = ffmpeg(
        *("-i", path, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"),
        binary=True,
    )
    return np.frombuffer(data, np.uint8).reshape(-1, 180, 320, 3).astype(int)
