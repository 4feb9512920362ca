"""`subtitles.burn`: what comes out is looked at with the ffmpeg program, beside the film."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio_ffmpeg  # type: ignore[import-untyped]
import numpy as np
import pytest

from mediahost import InvalidMedia, JobCancelled, MediaAnalysisResult, Transcription, Word
from mediahost.testing import check_action, run_action
from mediahost_subtitles import Burn

FILM = Path(__file__).parents[3] / "examples" / "media" / "bigbuckbunny.mp4"
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
QUICK: dict[str, Any] = {"preset": "ultrafast", "crf": 12}

Pictures = np.ndarray[Any, np.dtype[np.uint8]]


def said(*times: tuple[str, float, float]) -> MediaAnalysisResult:
    words = tuple(Word(text=text, start=start, end=end) for text, start, end in times)
    spoken = Transcription(provider="test", text="", language="en", words=words)
    return MediaAnalysisResult(transcription=spoken)


def ffmpeg(*arguments: str | Path) -> bytes:
    call = [FFMPEG, "-nostdin", "-v", "error", *map(str, arguments)]
    return subprocess.run(call, capture_output=True, check=True, timeout=120).stdout


def brightness(path: Path, width: int, height: int) -> Pictures:
    """Every picture of a film, by the ffmpeg program."""
    raw = ffmpeg(
        "-i", path, "-an", "-fps_mode", "passthrough", "-vf", "format=gray", "-f", "rawvideo", "-"
    )
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a film, 320 x 180, 12 pictures a second, with sound."""
    path = tmp_path_factory.mktemp("film") / "small.mp4"
    ffmpeg(
        "-ss",
        "1",
        "-i",
        FILM,
        "-t",
        "2",
        "-vf",
        "scale=320:180,fps=12",
        "-c:v",
        "libx264",
        "-crf",
        "10",
        "-preset",
        "ultrafast",
        "-c:a",
        "aac",
        path,
    )
    return path


@pytest.fixture
def made(small: Path, tmp_path: Path) -> Callable[..., Path]:
    """Another film out of the small one, by the ffmpeg program."""

    def make(name: str, *arguments: str) -> Path:
        path = tmp_path / name
        ffmpeg("-i", small, *arguments, path)
        return path

    return make


def test_pictures_have_the_text_while_it_is_said_and_no_longer(small: Path) -> None:
    words = said(("HELLO", 0.5, 1.0), ("WORLD", 1.0, 1.5))
    run = run_action(Burn(**QUICK, min_s=0), small, inputs={"t": words})
    run.assert_metadata(cues=1, burned=1, width=320, height=180, language="en")
    before, after = (brightness(path, 320, 180) for path in (small, run.artifacts[0].path))
    assert len(before) == len(after) == run.metadata["frames"]
    changed = np.abs(before.astype(int) - after).astype(np.uint8) > 40
    by_picture = changed.sum(axis=(1, 2))
    with_text = [6 <= number < 18 for number in range(len(after))]
    for number, (count, shown) in enumerate(zip(by_picture, with_text, strict=True)):
        assert (count > 150) == shown, (number, count)
    rows = np.flatnonzero(changed[8:16].any(axis=(0, 2)))
    assert rows.min() > 0.75 * 180
    assert rows.max() < 0.97 * 180
    columns = np.flatnonzero(changed[8:16].any(axis=(0, 1)))
    assert abs((columns.min() + columns.max()) / 2 - 160) < 8
    lettered = after[12][rows.min() : rows.max() + 1]
    assert lettered.max() > 220


def test_the_sound_is_the_same_packet_by_packet(small: Path) -> None:
    run = run_action(Burn(**QUICK), small, inputs={"t": said(("Hi", 0.1, 0.9))})
    sums = [
        ffmpeg("-i", path, "-vn", "-c", "copy", "-f", "md5", "-")
        for path in (small, run.artifacts[0].path)
    ]
    assert sums[0] == sums[1]


def test_it_is_as_long_as_the_film_and_of_a_kind_that_plays_everywhere(small: Path) -> None:
    run = run_action(Burn(**QUICK), small, inputs={"t": said(("Hi", 0.1, 0.9))})
    run.assert_artifact(asset_type="video", mime_type="video/mp4")
    told = subprocess.run(
        [FFMPEG, "-i", run.artifacts[0].path],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    ).stderr
    (length,) = re.findall(r"Duration: 00:00:([\d.]+)", told)
    assert float(length) == pytest.approx(2.0, abs=0.1)
    assert re.search(r"Video: h264 .*yuv420p", told)
    assert "Audio: aac" in told


def test_sound_that_an_mp4_does_not_take_becomes_aac(made: Callable[..., Path]) -> None:
    film = made("vorbis.mkv", "-c:v", "copy", "-c:a", "libvorbis")
    run = run_action(Burn(**QUICK), film, inputs={"t": said(("Hi", 0.1, 0.9))})
    told = subprocess.run(
        [FFMPEG, "-i", run.artifacts[0].path],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    ).stderr
    assert "Audio: aac" in told
    (length,) = re.findall(r"Duration: 00:00:([\d.]+)", told)
    assert float(length) == pytest.approx(2.0, abs=0.15)


def test_a_film_that_was_shot_lying_stands_and_so_does_its_text(
    small: Path, tmp_path: Path
) -> None:
    film = tmp_path / "phone.mp4"
    ffmpeg("-display_rotation", "90", "-i", small, "-c", "copy", film)
    run = run_action(Burn(**QUICK), film, inputs={"t": said(("HELLO", 0.0, 2.0))})
    run.assert_metadata(width=180, height=320)
    shown = brightness(film, 180, 320)
    burned = brightness(run.artifacts[0].path, 180, 320)
    rows = np.flatnonzero((np.abs(shown[6].astype(int) - burned[6]) > 60).any(axis=1))
    assert rows.size
    assert rows.min() > 0.75 * 320


def test_odd_sizes_and_other_pixels_are_written(made: Callable[..., Path]) -> None:
    film = made("odd.mkv", "-vf", "scale=161:91", "-pix_fmt", "yuv444p", "-an")
    run = run_action(Burn(**QUICK), film, inputs={"t": said(("Hi", 0.1, 0.9))})
    run.assert_metadata(width=160, height=90, burned=1)


def test_lines_that_are_too_wide_become_smaller(small: Path) -> None:
    long = said(("W" * 42, 0.0, 2.0))
    run = run_action(Burn(**QUICK, size=0.2), small, inputs={"t": long})
    before, after = (brightness(path, 320, 180) for path in (small, run.artifacts[0].path))
    columns = np.flatnonzero((np.abs(before[9].astype(int) - after[9]) > 60).any(axis=0))
    assert columns.min() >= 8
    assert columns.max() <= 312


def test_a_silent_cue_list_leaves_the_pictures_as_they_are(small: Path) -> None:
    run = run_action(Burn(**QUICK), small, inputs={"t": said()})
    run.assert_metadata(cues=0, burned=0)


def test_without_a_transcription_it_says_what_is_missing(small: Path) -> None:
    with pytest.raises(InvalidMedia, match="No step before has transcribed"):
        run_action(Burn(), small)


def test_a_font_that_is_none_is_told(small: Path, tmp_path: Path) -> None:
    font = tmp_path / "font.ttf"
    font.write_text("no font")
    with pytest.raises(InvalidMedia, match="can't be read"):
        run_action(Burn(font=str(font)), small, inputs={"t": said(("Hi", 0.1, 0.9))})


def test_a_sound_without_pictures_is_no_film(small: Path, tmp_path: Path) -> None:
    sound = tmp_path / "sound.mkv"
    ffmpeg("-i", small, "-vn", "-c:a", "copy", sound)
    with pytest.raises(InvalidMedia, match="has no picture"):
        run_action(Burn(), sound, inputs={"t": said(("Hi", 0.1, 0.9))})


def test_a_cancel_is_obeyed(small: Path) -> None:
    with pytest.raises(JobCancelled):
        run_action(Burn(), small, inputs={"t": said(("Hi", 0.1, 0.9))}, cancel_after=5)


def test_it_keeps_to_what_the_host_counts_on(small: Path) -> None:
    check_action(Burn(**QUICK), small, inputs={"t": said(("Hi", 0.1, 0.9))})
