from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import pytest

from mediahost import InvalidMedia, MediaInfo
from mediahost.testing import run_action
from mediahost_av import Probe

See = Callable[[Path], dict[str, Any]]


def test_a_film_is_what_ffmpeg_says_it_is(film: Path, seen_by_ffmpeg: See) -> None:
    seen = seen_by_ffmpeg(film)

    found = run_action(Probe(), film).metadata

    assert found["container"] == "mp4"
    assert found["duration"] == pytest.approx(seen["duration"], abs=0.01)
    assert [stream["codec"] for stream in found["streams"]] == seen["video"] + seen["audio"]
    assert (str(found["display_width"]), str(found["display_height"])) == seen["size"][0]
    assert found["streams"][0]["frame_rate"] == 25
    assert found["streams"][1]["channel_layout"] == "5.1"
    assert found["has_video"] is found["has_audio"] is True


def test_a_recording_is_what_mutagen_says_it_is(speech: Path) -> None:
    judged = mutagen.File(speech).info

    found = run_action(Probe(), speech).metadata

    assert found["duration"] == judged.length
    (stream,) = found["streams"]
    assert (stream["sample_rate"], stream["channels"]) == (judged.sample_rate, judged.channels)
    assert (found["has_video"], found["has_audio"]) == (False, True)


def test_a_photo_has_a_size_but_no_duration(photo: Path) -> None:
    run_action(Probe(), photo).assert_metadata(
        container="image", duration=None, display_width=1280, display_height=960
    )


def test_a_film_from_a_phone_is_measured_upright(sideways: Path) -> None:
    found = run_action(Probe(), sideways).metadata

    assert (found["streams"][0]["width"], found["streams"][0]["height"]) == (320, 180)
    assert (found["display_width"], found["display_height"]) == (180, 320)
    assert found["streams"][0]["rotation"] == 90


def test_chapters_are_ranges(chaptered: Path) -> None:
    run = run_action(Probe(), chaptered)

    run.assert_ranges((0, 2, "chapter"), (2, 5, "chapter"), tolerance=0)
    assert [found.payload["title"] for found in run.ranges] == ["Meadow", "Burrow"]


def test_tags_that_are_no_utf8_are_shown_as_far_as_they_are(clip: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.mp4"
    odd.write_bytes(clip.read_bytes().replace(b"Bunny", b"B\xffnny"))

    assert run_action(Probe(), odd).metadata["tags"]["title"] == "B\ufffdnny"


def test_the_metadata_hold_a_whole_media_info(film: Path) -> None:
    found = run_action(Probe(), film).metadata

    info = MediaInfo.model_validate({name: found[name] for name in MediaInfo.model_fields})

    assert info.size == film.stat().st_size


@pytest.mark.parametrize("name", ["transport_stream", "cueless"])
def test_a_container_without_an_index_is_read_too(
    name: str, request: pytest.FixtureRequest
) -> None:
    found = run_action(Probe(), request.getfixturevalue(name)).metadata

    assert [stream["codec"] for stream in found["streams"]] == ["h264", "aac"]


def test_a_name_alone_makes_no_recording(tmp_path: Path) -> None:
    for name in ("nothing.flac", "nothing.mp3", "nothing.mp4"):
        path = tmp_path / name
        path.write_text("nothing to hear\n" * 40)
        with pytest.raises(InvalidMedia):
            run_action(Probe(), path)


def test_the_duration_of_mp3_without_a_table_is_counted(
    speech: Path, ffmpeg: Callable[..., str], tmp_path: Path
) -> None:
    """A bit rate that varies, and nothing in the first frame that says how many there are."""
    path, twice = tmp_path / "bare.mp3", tmp_path / "twice.mp3"
    ffmpeg(
        *("-i", speech, "-af", "apad=pad_dur=60", "-c:a", "libmp3lame", "-q:a", "2"),
        *("-write_xing", "0", "-id3v2_version", "0", path),
    )
    twice.write_bytes(path.read_bytes() * 2)

    for made, seconds in ((path, 104.4), (twice, 208.8)):
        run = run_action(Probe(), made).assert_metadata(
            duration=pytest.approx(seconds, abs=0.2), duration_is_estimate=False
        )
        assert run.metadata["streams"][0]["duration"] == pytest.approx(seconds, abs=0.2)


def test_a_duration_that_is_guessed_says_so(transport_stream: Path, clip: Path) -> None:
    run_action(Probe(), transport_stream).assert_metadata(duration_is_estimate=True)
    run_action(Probe(), clip).assert_metadata(duration_is_estimate=False)


def test_pixels_that_are_not_square_and_colours_are_told(
    clip: Path, ffmpeg: Callable[..., str], tmp_path: Path
) -> None:
    dvd, hdr = tmp_path / "dvd.mpg", tmp_path / "hdr.mkv"
    ffmpeg(
        *("-i", clip, "-an", "-vf", "scale=720:576,tinterlace=interleave_top,setsar=64/45"),
        *("-flags", "+ildct+ilme", "-c:v", "mpeg2video", dvd),
    )
    tags = "color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=limited"
    ffmpeg(
        *("-i", clip, "-an", "-vf", f"format=yuv420p10le,setparams={tags}"),
        *("-c:v", "libx265", "-preset", "ultrafast", hdr),
    )

    run_action(Probe(), dvd).assert_metadata(
        display_width=1024, display_height=576, pixel_aspect="64:45", interlaced=True
    )
    run_action(Probe(), hdr).assert_metadata(
        pixel_aspect="1:1",
        interlaced=False,
        color_primaries="bt2020",
        color_transfer="smpte2084",
        color_matrix="bt2020nc",
        color_range="limited",
    )
