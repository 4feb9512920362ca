"""`subtitles.read` on films that the ffmpeg program gave subtitles."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]
import pysubs2
import pytest

from mediahost import InvalidMedia, MediaFile
from mediahost.testing import check_action, run_action
from mediahost_subtitles import Export, Read

FILM = Path(__file__).parents[3] / "examples" / "media" / "bigbuckbunny.mp4"

Subtitled = Callable[..., Path]

ENGLISH = """1
00:00:01,000 --> 00:00:02,500
Good <i>morning</i>,
bunny.

2
00:00:03,000 --> 00:00:04,250
A & B {braced}
"""
GERMAN = """1
00:00:00,500 --> 00:00:02,000
Guten Morgen
"""


@pytest.fixture
def subtitled(tmp_path: Path) -> Subtitled:
    def make(name: str, codec: str, *options: str) -> Path:
        (tmp_path / "en.srt").write_text(ENGLISH)
        (tmp_path / "de.srt").write_text(GERMAN)
        path = tmp_path / name
        inputs = ("-i", FILM, "-i", tmp_path / "en.srt", "-i", tmp_path / "de.srt")
        maps = ("-map", "0", "-map", "1", "-map", "2", "-c", "copy", "-c:s", codec)
        languages = ("-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=ger")
        program = imageio_ffmpeg.get_ffmpeg_exe()
        command = [program, "-v", "error", "-y", *inputs, *maps, *languages, *options, path]
        subprocess.run(command, check=True, timeout=60, capture_output=True)
        return path

    return make


@pytest.mark.parametrize(
    ("name", "codec"), [("film.mkv", "srt"), ("film.mkv", "ass"), ("film.mp4", "mov_text")]
)
def test_the_first_track_is_read_with_its_times(
    name: str, codec: str, subtitled: Subtitled
) -> None:
    run = run_action(Read(), subtitled(name, codec))

    run.assert_ranges((1, 2.5, "subtitle"), (3, 4.25, "subtitle"), tolerance=0.011)
    texts = [found.payload["text"] for found in run.ranges]
    assert texts == ["Good morning,\nbunny.", "A & B {braced}"]
    run.assert_metadata(subtitles=2, language="eng", tracks=["eng", "ger"])
    transcription = run.transcription
    assert transcription.text == "Good morning, bunny. A & B {braced}"
    assert (transcription.provider, transcription.language) == ("subtitles", "eng")


def test_another_language_is_read_if_asked_for(subtitled: Subtitled) -> None:
    run = run_action(Read(language="ger"), subtitled("film.mkv", "srt"))

    run.assert_ranges((0.5, 2, "subtitle"), tolerance=0.001)
    assert run.ranges[0].payload["text"] == "Guten Morgen"


def test_a_language_that_is_missing_is_named_with_those_there(subtitled: Subtitled) -> None:
    with pytest.raises(InvalidMedia, match=r"no subtitles of text in fre") as caught:
        run_action(Read(language="fre"), subtitled("film.mkv", "srt"))
    assert caught.value.hint == "It has some in: eng, ger."


def test_a_film_without_subtitles_says_so() -> None:
    with pytest.raises(InvalidMedia, match=r"bigbuckbunny\.mp4 has no subtitles of text$"):
        run_action(Read(), FILM)


def test_what_was_read_can_be_exported_again(subtitled: Subtitled) -> None:
    film = subtitled("film.mkv", "srt")

    run = run_action(
        Export(format="vtt"), film, inputs={"subtitles.read": run_action(Read(), film)}
    )

    lines = pysubs2.load(str(run.artifacts[0].path))
    assert [line.text for line in lines] == ["Good morning, bunny.", "A &amp; B {braced}"]
    assert [line.start for line in lines] == [1000, 3000]


def test_it_keeps_to_what_the_host_counts_on(subtitled: Subtitled) -> None:
    check_action(Read(), MediaFile.at(subtitled("film.mkv", "srt", "-vn")))
