"""Damaged copies of films and recordings: no action crashes, and none calls a part the whole."""

import random
import subprocess
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]
import pytest

from mediahost import InvalidMedia
from mediahost.testing import ActionRun, run_action
from mediahost.testing.run import installed_plugins

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
LENGTH_S = 12

# They read a file from its beginning to its end.
WHOLE: list[tuple[str, dict[str, object]]] = [
    ("av.convert", {"format": "mkv", "max_width": 32, "effort": "fast"}),
    ("av.convert", {"format": "mkv", "video_codec": "copy", "audio_codec": "copy"}),
    ("av.extract_segment", {"format": "mkv", "mode": "fast"}),
    ("av.contact_sheet", {"tile_width": 32}),
    ("scenes.detect", {}),
]
HEARD: list[tuple[str, dict[str, object]]] = [
    ("av.convert", {"format": "mp3"}),
    ("av.extract_audio", {"format": "flac"}),
    ("av.waveform", {"width": 32}),
    ("audio.loudness", {}),
    ("audio.silence", {}),
    ("audio.normalize", {"format": "flac"}),
    ("speech.vad", {}),
]
FILMS = ("film.mp4", "film.mkv")
RECORDINGS = ("song.flac", "song.mp3", "song.wav", "song.m4a", "song.ogg")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films and recordings of 12 s, whole."""
    folder = tmp_path_factory.mktemp("whole")
    picture = f"testsrc2=s=160x90:r=25:d={LENGTH_S},noise=alls=30"
    sound = f"anoisesrc=d={LENGTH_S}:r=44100:a=0.3:seed=1"
    for name in FILMS:
        _ffmpeg(
            *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound),
            *("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac"),
            *("-movflags", "+faststart", folder / name),
        )
    for name in RECORDINGS:
        extra = ("-c:a", "libopus") if name.endswith("ogg") else ()
        _ffmpeg("-f", "lavfi", "-i", sound, *extra, "-movflags", "+faststart", folder / name)
    return folder


def _ffmpeg(*arguments: str | Path) -> None:
    subprocess.run([FFMPEG, "-loglevel", "error", "-y", *map(str, arguments)], check=True)


def _actions(name: str) -> list[tuple[str, dict[str, object]]]:
    return [*WHOLE, *HEARD] if name in FILMS else HEARD


def _run(name: str, config: dict[str, object], path: Path) -> ActionRun | None:
    """What the action made of the file; None: it refused it in a sentence."""
    action = installed_plugins().action(name).configured(config)
    try:
        return run_action(action, path)
    except InvalidMedia as error:
        if path.name not in error.message:
            raise
        return None


@pytest.mark.parametrize("name", [*FILMS, *RECORDINGS])
def test_a_whole_file_lacks_nothing(name: str, folder: Path) -> None:
    for action, config in _actions(name):
        run = _run(action, config, folder / name)
        assert run is not None, action
        assert run.result.completeness.describe() == "", action


@pytest.mark.parametrize("share", [0.3, 0.8])
@pytest.mark.parametrize("name", [*FILMS, *RECORDINGS])
def test_a_file_that_is_cut_off_is_refused_or_said_to_be_so(
    name: str, share: float, folder: Path, tmp_path: Path
) -> None:
    data = (folder / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: int(len(data) * share)])

    for action, config in _actions(name):
        run = _run(action, config, path)
        # The end of an Ogg file is all that says how long it is.
        if run is not None and not name.endswith("ogg"):
            missing = run.result.completeness.missing_s
            assert missing == pytest.approx((1 - share) * LENGTH_S, abs=1.5), action


@pytest.mark.parametrize("name", [*FILMS, "song.flac", "song.m4a"])
def test_a_file_with_a_hole_of_noise_is_refused_or_said_to_have_one(
    name: str, folder: Path, tmp_path: Path
) -> None:
    data = bytearray((folder / name).read_bytes())
    third = len(data) // 3
    data[third : 2 * third] = random.Random(1).randbytes(third)  # noqa: S311 - no secret
    path = tmp_path / name
    path.write_bytes(data)

    for action, config in _actions(name):
        if action == "av.contact_sheet":
            continue  # it looks at some places only
        run = _run(action, config, path)
        copies = config.get("mode") == "fast" or config.get("video_codec") == "copy"
        if run is not None and not (copies and name.endswith("mp4")):
            assert not run.result.completeness.complete, action
