"""Films that are to be turned and mirrored, against what the ffmpeg program shows."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mediahost import Action
from mediahost.testing import run_action
from mediahost_av import ContactSheet, Convert, Frames, Probe, Thumbnail

ACTIONS: tuple[Action, ...] = (
    Convert(format="mkv", effort="fast", crf=1),
    Convert(format="mp4", video_codec="copy"),
    Thumbnail(format="png", max_width=None),
    Frames(count=1, format="png"),
    ContactSheet(columns=1, rows=1, labels=False, gap=0, tile_width=320, format="png"),
)
TURNS = [
    ("-display_rotation", turn, *flip)
    for turn in ("0", "90", "180", "270")
    for flip in ((), ("-display_hflip",), ("-display_vflip",))
]
MATRIX_UNIT = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)


@pytest.fixture(scope="session")
def marked(folder: Path, ffmpeg: Callable[..., str]) -> Path:
    """A blue film, 320x180, with red in its upper left corner and green in its upper right."""
    path = folder / "marked.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "color=blue:s=320x180:r=5:d=1"),
        *("-vf", "drawbox=w=80:h=45:color=red:t=fill,drawbox=x=240:w=80:h=45:color=lime:t=fill"),
        *("-c:v", "libx264", "-pix_fmt", "yuv420p", path),
    )
    return path


def _shown(path: Path, ffmpeg: Callable[..., bytes]) -> Image.Image:
    data = ffmpeg("-i", path, "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-", binary=True)
    return Image.open(io.BytesIO(data)).convert("RGB")


def _made(action: Action, path: Path, ffmpeg: Callable[..., bytes]) -> Image.Image:
    (made,) = run_action(action, path).artifacts
    return _shown(made.path, ffmpeg)


@pytest.mark.parametrize("turn", TURNS, ids=" ".join)
def test_each_action_shows_a_film_as_ffmpeg_shows_it(
    turn: tuple[str, ...], marked: Path, ffmpeg: Callable[..., bytes], tmp_path: Path
) -> None:
    path = tmp_path / "turned.mp4"
    ffmpeg(*turn, "-i", marked, "-c", "copy", path)
    wanted = _shown(path, ffmpeg)

    for action in ACTIONS:
        made = _made(action, path, ffmpeg).resize(wanted.size)
        apart = np.abs(np.asarray(made, int) - np.asarray(wanted, int)).mean()
        assert apart < 12, action.info.name
    info = run_action(Probe(), path).metadata
    picture = info["streams"][0]
    with Image.open(
        io.BytesIO(
            ffmpeg(
                "-i", marked, "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-", binary=True
            )
        )
    ) as stored:
        turned = stored.convert("RGB").rotate(picture["rotation"], expand=True)
    if picture["mirrored"]:
        turned = turned.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert (info["display_width"], info["display_height"]) == wanted.size == turned.size
    assert np.abs(np.asarray(turned, int) - np.asarray(wanted, int)).mean() < 12


@pytest.mark.parametrize(
    "numbers", [(0,) * 9, (-(2**31),) * 9, (46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30)]
)
def test_a_matrix_that_is_no_orientation_is_ignored_and_told(
    numbers: tuple[int, ...], marked: Path, ffmpeg: Callable[..., bytes], tmp_path: Path
) -> None:
    data = marked.read_bytes()
    at = data.index(b"tkhd")
    at = data.index(MATRIX_UNIT, at)
    path = tmp_path / "odd.mp4"
    path.write_bytes(data[:at] + struct.pack(">9i", *numbers) + data[at + 36 :])

    for action in (ACTIONS[0], *ACTIONS[2:]):
        run = run_action(action, path)
        said = [*run.log, *run.metadata.get("warnings", [])]
        assert said == ["Its display matrix is no orientation and is ignored"]
        (made,) = run.artifacts
        assert _shown(made.path, ffmpeg).size == (320, 180)
        red, _, blue = np.asarray(_shown(made.path, ffmpeg))[20, 20]
        assert red > 200
        assert blue < 60
    run = run_action(Probe(), path).assert_metadata(display_width=320, display_height=180)
    assert run.log == ["Its display matrix is no orientation and is ignored"]
