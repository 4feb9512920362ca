"""What a conversion keeps besides one picture and one sound, as the ffmpeg program sees it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mediahost import InvalidMedia
from mediahost.testing import run_action
from mediahost_av import Convert, ExtractAudio

See = Callable[[Path], dict[str, object]]


@pytest.fixture(scope="session")
def laden(folder: Path, clip: Path, ffmpeg: Callable[..., str]) -> Path:
    """A film with two sounds, two subtitles, chapters and an attachment, all with their titles."""
    notes, first, second = folder / "notes.txt", folder / "a.srt", folder / "b.srt"
    notes.write_text(
        ";FFMETADATA1\ntitle=My Film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=One\n"
    )
    first.write_text("1\n00:00:00,500 --> 00:00:01,500\nHello there\n")
    second.write_text("1\n00:00:02,000 --> 00:00:03,000\nBonjour\n")
    path = folder / "laden.mkv"
    ffmpeg(
        *("-i", clip, "-f", "lavfi", "-i", "sine=880:d=5.3", "-i", first, "-i", second),
        *("-i", notes, "-map", "0:v", "-map", "0:a", "-map", "1", "-map", "2", "-map", "3"),
        *("-map_metadata", "4", "-c", "copy", "-c:a:1", "aac", "-c:s", "srt", "-attach", notes),
        *("-metadata:s:t", "mimetype=text/plain", "-metadata:s:a:0", "language=eng"),
        *("-metadata:s:a:0", "title=Main", "-metadata:s:a:1", "language=fra"),
        *("-metadata:s:a:1", "title=Commentaire", "-metadata:s:s:0", "language=eng"),
        *("-metadata:s:s:1", "language=fra", path),
    )
    return path


def _streams(path: Path, see: See) -> list[str]:
    printed = str(see(path)["printed"])
    return re.findall(r"Stream #0:\d+(?:\[\w+\])?(?:\((\w+)\))?: (\w+: \w+)", printed)


@pytest.mark.parametrize("how", ["copy", "encoded"])
def test_mkv_keeps_all_that_it_can_hold(
    how: str, laden: Path, seen_by_ffmpeg: See, ffmpeg: Callable[..., str], tmp_path: Path
) -> None:
    config = {"video_codec": "copy", "audio_codec": "copy"} if how == "copy" else {"effort": "fast"}

    run = run_action(Convert.configured({"format": "mkv", **config}), laden)

    made = run.artifacts[0].path
    assert _streams(made, seen_by_ffmpeg) == _streams(laden, seen_by_ffmpeg)
    printed = str(seen_by_ffmpeg(made)["printed"])
    for title in ("My Film", "One", "Main", "Commentaire"):
        assert re.search(rf"title +: {title}", printed)
    assert run.metadata["left_out"] == []
    assert run.result.completeness.complete
    text = tmp_path / "b.srt"
    ffmpeg("-i", made, "-map", "0:s:1", text)
    assert "00:00:02,000 --> 00:00:03,000\nBonjour" in text.read_text()


def test_what_the_format_cannot_hold_is_named(laden: Path, seen_by_ffmpeg: See) -> None:
    run = run_action(
        Convert(format="mp4", video_codec="copy", audio_codec="copy", subtitles="en"), laden
    )

    assert seen_by_ffmpeg(run.artifacts[0].path)["audio"] == ["aac", "aac"]
    assert run.metadata["left_out"] == [
        "subtitle eng subrip",
        "subtitle fra subrip",
        "attachment notes.txt attachment",
    ]


@pytest.mark.parametrize("wish", ["2", "fr", "fra", "fre", "comment"])
def test_a_sound_is_chosen_by_number_language_or_title(
    wish: str, laden: Path, seen_by_ffmpeg: See
) -> None:
    config = {"format": "mkv", "video_codec": "copy", "audio_codec": "copy", "subtitles": "none"}
    for action in (
        Convert.configured({**config, "sounds": wish}),
        ExtractAudio(sound=wish),
        Convert(format="mp3", sounds=wish),
    ):
        made = run_action(action, laden).artifacts[0].path
        sounds = [one for one in _streams(made, seen_by_ffmpeg) if one[1].startswith("Audio")]
        assert len(sounds) == 1
        if made.suffix != ".mp3":
            assert sounds[0][0] == "fra"


def test_a_sound_that_is_not_there_is_said_with_what_is(laden: Path) -> None:
    with pytest.raises(InvalidMedia, match=r"laden\.mkv has no sound 'de'") as caught:
        run_action(Convert(format="mkv", sounds="de"), laden)
    assert caught.value.hint == "It has: 1 eng Main aac, 2 fra Commentaire aac."


@pytest.mark.parametrize("source", ["mp3", "flac", "m4a"])
@pytest.mark.parametrize("target", ["mp3", "flac", "m4a", "mkv"])
def test_a_cover_comes_along(
    source: str, target: str, clip: Path, ffmpeg: Callable[..., str], tmp_path: Path
) -> None:
    cover, path = tmp_path / "cover.jpg", tmp_path / f"song.{source}"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", cover)
    ffmpeg(
        *("-i", clip, "-i", cover, "-map", "0:a", "-map", "1", "-c:v", "mjpeg"),
        *("-disposition:v", "attached_pic", "-metadata", "title=Song é", path),
    )

    run = run_action(Convert.configured({"format": target, "video_codec": "none"}), path)

    printed = ffmpeg("-i", run.artifacts[0].path, "-c", "copy", "-f", "null", "-")
    assert re.search(r"Video: mjpeg.*64x64.*\(attached pic\)", printed)
    assert re.search("title +: Song é", printed)
    assert run.metadata["left_out"] == []


def test_the_tags_of_a_stream_do_not_become_those_of_the_file(
    laden: Path, seen_by_ffmpeg: See
) -> None:
    run = run_action(ExtractAudio(sound="2", format="flac"), laden)
    head = str(seen_by_ffmpeg(run.artifacts[0].path)["printed"]).partition("Duration")[0]
    assert re.search(r"(?i)title +: My Film", head)
    assert "Commentaire" not in head
