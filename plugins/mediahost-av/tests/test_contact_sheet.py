from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mediahost import InvalidMedia
from mediahost.errors import InvalidConfig
from mediahost.testing import ActionRun, run_action
from mediahost_av import ContactSheet

Ffmpeg = Callable[..., Any]


@pytest.mark.parametrize(
    "name", ["slow_to_seek", "clip", "transport_stream", "cueless", "sideways"]
)
def test_each_tile_is_the_film_at_its_timestamp(
    name: str, ffmpeg: Ffmpeg, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(name)

    run = run_action(
        ContactSheet(columns=3, rows=2, tile_width=90, labels=False, format="png"), path
    )

    times = run.metadata["timestamps"]
    assert len(times) == 6
    assert times == sorted(set(times))
    height = run.metadata["tile_height"]
    film = _film(ffmpeg, path, 90, height)
    for number, seconds in enumerate(times):
        distances = [np.abs(_tile(run, number) - frame).mean() for frame in film]
        assert distances[round(seconds * 25)] < 6
        # What is on view at a time is within a sixth of the film of what was aimed at.
        assert abs(seconds - 5.28 * (number + 0.5) / 6) <= 5.28 / 6


def test_a_film_from_a_phone_is_shown_upright(sideways: Path) -> None:
    run_action(ContactSheet(columns=2, rows=1, tile_width=90, gap=2), sideways).assert_metadata(
        tile_width=90, tile_height=160, width=186, height=164
    )


@pytest.mark.parametrize(("name", "suffix"), [("jpeg", ".jpg"), ("png", ".png"), ("webp", ".webp")])
def test_the_sheet_comes_in_the_format_asked_for(name: str, suffix: str, clip: Path) -> None:
    run = run_action(ContactSheet.configured({"format": name, "tile_width": 64}), clip)

    run.assert_artifact(asset_type="contact_sheet", mime_type=f"image/{name}")
    with Image.open(run.artifacts[0].path) as sheet:
        assert run.artifacts[0].path.suffix == suffix
        assert (sheet.format or "").lower() == name
        assert sheet.size == (run.metadata["width"], run.metadata["height"])


def test_a_film_of_few_pictures_gives_a_small_sheet(slides: Path) -> None:
    run = run_action(ContactSheet(columns=4, rows=4, tile_width=64), slides)

    run.assert_metadata(timestamps=[0, 1, 2, 3, 4], columns=4, rows=2)


def test_a_label_says_when(clip: Path) -> None:
    plain, labelled = (
        _tile(
            run_action(
                ContactSheet(columns=1, rows=1, tile_width=300, labels=labels, format="png"), clip
            ),
            0,
        )
        for labels in (False, True)
    )

    changed = np.abs(plain - labelled) > 30
    assert changed[-25:, -70:].any()
    assert not changed[:-40].any()


def test_a_recording_has_no_pictures(speech: Path, tmp_path: Path) -> None:
    posing = tmp_path / "speech.mkv"
    posing.write_bytes(speech.read_bytes())

    with pytest.raises(InvalidMedia, match=r"speech\.mkv has no picture"):
        run_action(ContactSheet(), posing)


def test_a_sheet_too_high_is_refused(sideways: Path) -> None:
    with pytest.raises(InvalidMedia, match="pixels high"):
        run_action(ContactSheet(columns=1, rows=50, tile_width=640), sideways)


def test_a_sheet_too_wide_is_refused_at_the_door() -> None:
    with pytest.raises(InvalidConfig, match="pixels wide"):
        ContactSheet.configured({"columns": 20, "tile_width": 1920})


def _tile(run: ActionRun, number: int) -> Any:
    width, height = run.metadata["tile_width"], run.metadata["tile_height"]
    row, column = divmod(number, run.metadata["columns"])
    left, top = 4 + column * (width + 4), 4 + row * (height + 4)
    with Image.open(run.artifacts[0].path) as sheet:
        return np.asarray(sheet.crop((left, top, left + width, top + height))).astype(int)


def _film(ffmpeg: Ffmpeg, path: Path, width: int, height: int) -> Any:
    """All frames of the film, as the ffmpeg program shows and scales them."""
    scale = ("-vf", f"scale={width}:{height}:flags=area", "-fps_mode", "passthrough")
    data = ffmpeg("-i", path, *scale, "-f", "rawvideo", "-pix_fmt", "rgb24", "-", binary=True)
    return np.frombuffer(data, np.uint8).reshape(-1, height, width, 3).astype(int)


def test_progress_goes_on_while_a_picture_is_looked_for(slow_to_seek: Path) -> None:
    run = run_action(ContactSheet(columns=2, rows=1, labels=False), slow_to_seek)

    # The second picture is in the middle of 132 that are built on one keyframe.
    assert len(run.progress) > 60
