import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from mediahost import Action, InvalidMedia, MediaFile, MediaKind
from mediahost.testing import run_action
from mediahost_av import (
    ContactSheet,
    Convert,
    ExtractAudio,
    ExtractSegment,
    Frames,
    Probe,
    Waveform,
)

ACTIONS: tuple[Action, ...] = (
    Probe(),
    Convert(format="mkv", effort="fast", max_width=32, audio_codec="pcm"),
    Convert(format="mkv", video_codec="copy", audio_codec="copy"),
    ExtractSegment(start=1, duration=0.2),
    ExtractSegment(start=1, duration=1, mode="fast"),
    ContactSheet(columns=2, rows=2, tile_width=64),
    ExtractAudio(),
    Frames(count=2, max_width=32),
    Waveform(width=64),
)
FILMS = ("clip", "transport_stream", "cueless")


@pytest.fixture(params=ACTIONS, ids=lambda action: f"{action.info.name} {action.public_config()}")
def action(request: pytest.FixtureRequest) -> Action:
    chosen: Action = request.param
    return chosen


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", FILMS)
def test_a_film_cut_off_gives_a_result_or_one_clean_error(
    name: str, share: float, action: Action, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    data = request.getfixturevalue(name).read_bytes()
    cut = tmp_path / f"cut{request.getfixturevalue(name).suffix}"
    cut.write_bytes(data[: int(len(data) * share)])

    _clean(action, cut)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", FILMS)
def test_a_film_with_bad_bytes_gives_a_result_or_one_clean_error(
    name: str, seed: int, action: Action, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source: Path = request.getfixturevalue(name)
    data = bytearray(source.read_bytes())
    chance = random.Random(seed)  # noqa: S311 - the same damage every time, no secret
    for _ in range(10 ** (2 + seed)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    damaged = tmp_path / f"damaged{source.suffix}"
    damaged.write_bytes(data)

    _clean(action, damaged)


@pytest.mark.parametrize("content", [b"", b"\0", b"This is no film.\n" * 500, bytes(100_000)])
def test_what_is_no_film_is_refused(content: bytes, action: Action, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)

    with pytest.raises(InvalidMedia, match=r"film\.mp4"):
        run_action(action, path)


def test_what_is_no_regular_file_is_refused(action: Action, tmp_path: Path) -> None:
    folder, pipe, gone = tmp_path / "folder.mp4", tmp_path / "pipe.mp4", tmp_path / "gone.mp4"
    folder.mkdir()
    os.mkfifo(pipe)

    for path in (folder, pipe, gone):
        with pytest.raises(InvalidMedia, match=path.name):
            run_action(action, MediaFile(path, MediaKind.VIDEO))


def test_a_header_without_its_film_is_told_from_an_empty_film(clip: Path, tmp_path: Path) -> None:
    data = clip.read_bytes()
    header_last = data.index(b"moov") - 4
    hollow = tmp_path / "hollow.mp4"
    hollow.write_bytes(data[:48] + bytes(header_last - 48) + data[header_last:])

    with pytest.raises(InvalidMedia, match=r"though its header promises \d+ frames"):
        run_action(Convert(format="mkv", audio_codec="none"), hollow)
    with pytest.raises(InvalidMedia, match=r"though its header promises \d+ frames"):
        run_action(ContactSheet(), hollow)


def test_a_film_that_ends_before_its_header_says_comes_with_a_warning(
    film: Path, ffmpeg: Callable[..., str], tmp_path: Path
) -> None:
    half = tmp_path / "half.mp4"
    ffmpeg("-i", film, "-c", "copy", "-movflags", "faststart", half)
    half.write_bytes(half.read_bytes()[:500_000])

    run = run_action(Convert(format="mp3"), half)

    assert run.metadata["end"] == pytest.approx(2.5, abs=1)
    assert "not at 5.3 s" in run.result.completeness.note
    assert run.result.completeness.missing_s == pytest.approx(5.3 - run.metadata["end"], abs=0.1)


def test_a_film_without_its_index_is_said_to_be_cut_off(clip: Path, tmp_path: Path) -> None:
    headless = tmp_path / "headless.mp4"
    headless.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])

    with pytest.raises(InvalidMedia, match=r"headless\.mp4 was cut off: it lacks the index"):
        run_action(Probe(), headless)


def _clean(action: Action, path: Path) -> None:
    message = path.name
    with suppress(InvalidMedia):
        try:
            run = run_action(action, path)
        except InvalidMedia as error:
            message = error.message
            raise
        assert all(made.size for made in run.artifacts)
    assert path.name in message
