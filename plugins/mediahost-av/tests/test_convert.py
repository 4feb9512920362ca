import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np
import pytest

from mediahost import InvalidMedia, JobCancelled
from mediahost.errors import InvalidConfig
from mediahost.testing import run_action
from mediahost_av import Convert

Config = dict[str, Any]
See = Callable[[Path], dict[str, Any]]
Samples = Callable[..., bytes]
Ffmpeg = Callable[..., Any]


@pytest.mark.parametrize(
    ("config", "video", "audio"),
    [
        ({"format": "mp4", "effort": "fast"}, ["h264"], ["aac"]),
        ({"format": "mp4", "video_codec": "h265", "effort": "fast"}, ["hevc"], ["aac"]),
        ({"format": "mkv", "effort": "fast", "audio_codec": "pcm"}, ["h264"], ["pcm_s16le"]),
        ({"format": "mkv", "video_codec": "none"}, [], ["aac"]),
        ({"format": "mkv", "video_codec": "copy", "audio_codec": "copy"}, ["h264"], ["aac"]),
        ({"format": "webm", "effort": "fast"}, ["vp9"], ["opus"]),
        ({"format": "webm", "effort": "fast", "video_codec": "av1"}, ["av1"], ["opus"]),
        ({"format": "mp3"}, [], ["mp3"]),
        ({"format": "m4a"}, [], ["aac"]),
        ({"format": "opus"}, [], ["opus"]),
        ({"format": "ogg", "audio_codec": "flac"}, [], ["flac"]),
        ({"format": "flac"}, [], ["flac"]),
        ({"format": "wav"}, [], ["pcm_s16le"]),
    ],
    ids=str,
)
def test_a_film_becomes(
    config: Config, video: list[str], audio: list[str], clip: Path, seen_by_ffmpeg: See
) -> None:
    (made,) = run_action(Convert(**config), clip, workdir=clip.parent / "made").artifacts

    seen = seen_by_ffmpeg(made.path)
    assert (seen["video"], seen["audio"]) == (video, audio)
    assert seen["duration"] == pytest.approx(5.31, abs=0.06)
    assert made.asset_type == ("video" if video else "audio")


def test_lossless_stays_lossless(speech: Path, samples_of: Samples) -> None:
    run = run_action(Convert(format="wav"), speech)

    with wave.open(str(run.artifacts[0].path)) as made:
        assert made.getparams()[:4] == (1, 2, 48_000, 2_129_958)
        assert made.readframes(made.getnframes()) == samples_of(speech)


def test_24_bits_stay_24_bits(speech: Path, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    deep = tmp_path / "deep.wav"
    ffmpeg("-i", speech, "-t", "1", "-af", "volume=0.7", "-c:a", "pcm_s24le", deep)

    for name in ("flac", "wav"):
        run = run_action(Convert(format=name), deep)
        before, after = (
            ffmpeg("-i", path, "-f", "s32le", "-", binary=True)
            for path in (deep, run.artifacts[0].path)
        )
        assert before == after


def test_tags_are_kept(clip: Path) -> None:
    run = run_action(Convert(format="mp3"), clip)

    tags = mutagen.File(run.artifacts[0].path).tags

    assert (str(tags["TIT2"]), str(tags["TPE1"])) == ("Bunny", "Blender")


def test_chapters_are_kept(chaptered: Path, seen_by_ffmpeg: See) -> None:
    run = run_action(Convert(format="mp4", max_width=64, effort="fast"), chaptered)

    printed = seen_by_ffmpeg(run.artifacts[0].path)["printed"]

    assert "start 2.000000, end 5.000000" in printed
    assert "Burrow" in printed


def test_a_gap_in_the_sound_becomes_silence_of_its_length(
    clip: Path, gapped: Path, samples_of: Samples
) -> None:
    whole = np.frombuffer(samples_of(clip), "<i2").reshape(-1, 2)

    run = run_action(Convert(format="wav"), gapped)

    made = np.frombuffer(samples_of(run.artifacts[0].path), "<i2").reshape(-1, 2)
    assert len(made) == pytest.approx(len(whole), abs=2048)
    assert not made[50_000:94_000].any()
    # Matroska counts in milliseconds, 48 samples each.
    assert any(
        np.array_equal(made[100_000 + off : 240_000 + off], whole[100_000:240_000])
        for off in range(-48, 49)
    )


def test_frames_keep_their_times(slides: Path) -> None:
    run = run_action(Convert(format="mp4", effort="fast"), slides)

    assert _times(run.artifacts[0].path) == _times(slides) == [0, 1, 2, 3, 4, 5]


def test_a_film_from_a_phone_is_turned_upright(sideways: Path, ffmpeg: Ffmpeg) -> None:
    run = run_action(Convert(crf=1, audio_codec="none", effort="fast"), sideways)

    run.assert_metadata(picture={"codec": "h264", "width": 180, "height": 320, "frames": 132})
    made, judged = (_grays(ffmpeg, path) for path in (run.artifacts[0].path, sideways))
    assert np.abs(made - judged).mean() < 1


@pytest.mark.parametrize(
    ("bounds", "size"),
    [
        ({"max_width": 100}, (100, 56)),
        ({"max_height": 90}, (160, 90)),
        ({"max_width": 100, "max_height": 20}, (36, 20)),
        ({"max_width": 5000}, (320, 180)),
    ],
    ids=str,
)
def test_a_picture_is_scaled_down_in_proportion(
    bounds: Config, size: tuple[int, int], clip: Path
) -> None:
    run = run_action(Convert(effort="fast", audio_codec="none", **bounds), clip)

    assert (run.metadata["picture"]["width"], run.metadata["picture"]["height"]) == size


def test_pixels_become_square(clip: Path, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    wide = tmp_path / "wide.mkv"
    ffmpeg("-i", clip, "-an", "-vf", "setsar=4/3", "-t", "1", "-preset", "ultrafast", wide)

    run = run_action(Convert(effort="fast"), wide)

    assert run.metadata["picture"]["width"] == 426
    assert run.metadata["picture"]["height"] == 180


def test_sound_is_resampled_and_mixed_down(clip: Path) -> None:
    run = run_action(Convert(format="wav", sample_rate=8000, channels=1), clip)

    with wave.open(str(run.artifacts[0].path)) as made:
        assert made.getparams()[:3] == (1, 2, 8000)
        assert made.getnframes() / 8000 == pytest.approx(5.31, abs=0.03)


def test_a_bit_rate_is_kept_to(clip: Path) -> None:
    sizes = [
        run_action(Convert(format="mp3", audio_bitrate=rate), clip).artifacts[0].size or 0
        for rate in (64, 128)
    ]

    assert sizes[0] * 8 / 5.312 == pytest.approx(64_000, rel=0.03)
    assert sizes[1] * 8 / 5.312 == pytest.approx(128_000, rel=0.03)


def test_a_silent_film_makes_no_mp3(silent: Path) -> None:
    with pytest.raises(InvalidMedia, match=r"silent\.mp4 has no sound"):
        run_action(Convert(format="mp3"), silent)


def test_a_silent_film_makes_a_silent_film(silent: Path, seen_by_ffmpeg: See) -> None:
    run = run_action(Convert(max_width=64, effort="fast"), silent)

    assert seen_by_ffmpeg(run.artifacts[0].path)["audio"] == []
    assert run.metadata["sound"] is None


def test_a_recording_makes_an_mp4_with_sound_only(speech: Path) -> None:
    run = run_action(Convert(format="mp4"), speech)

    run.assert_artifact(asset_type="audio", mime_type="audio/mp4")


def test_a_picture_that_was_asked_for_must_be_there(speech: Path) -> None:
    with pytest.raises(InvalidMedia, match="has no picture"):
        run_action(Convert(format="mkv", video_codec="h264"), speech)


def test_a_codec_that_the_format_cannot_hold_is_not_copied(clip: Path) -> None:
    with pytest.raises(InvalidMedia, match="holds h264, which can't be copied into webm"):
        run_action(Convert(format="webm", video_codec="copy"), clip)


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"format": "mp3", "video_codec": "h264"}, "mp3 holds sound only"),
        ({"format": "webm", "video_codec": "h264"}, "webm takes no h264"),
        ({"format": "webm", "audio_codec": "aac"}, "webm takes no aac"),
        ({"format": "mp3", "audio_codec": "none"}, "nothing to write"),
        ({"crf": 20, "video_bitrate": 500}, "not both"),
        ({"crf": 60}, "0 to 51"),
        ({"crf": 20, "video_codec": "copy"}, "copied as it is"),
        ({"format": "flac", "audio_bitrate": 128}, "lossless"),
        ({"format": "mp3", "channels": 6}, "2 channels at most"),
        ({"format": "opus", "sample_rate": 44_100}, "takes these sample rates"),
        ({"format": "mp3", "max_width": 640}, "left out"),
        ({"format": "avi"}, "format"),
        ({"sample_rate": 0}, "sample_rate"),
    ],
    ids=str,
)
def test_a_config_that_makes_no_sense_is_refused_at_the_door(
    config: Config, complaint: str
) -> None:
    with pytest.raises(InvalidConfig, match=complaint):
        Convert.configured(config)


def test_a_cancelled_conversion_leaves_nothing_behind(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(JobCancelled):
        run_action(Convert(effort="fast"), clip, workdir=tmp_path, cancel_after=60)

    assert list(tmp_path.iterdir()) == []


def test_a_cancel_is_obeyed_while_the_encoder_finishes(clip: Path, tmp_path: Path) -> None:
    action = Convert(effort="fast", audio_codec="none")
    checkpoints = run_action(action, clip).checkpoints

    with pytest.raises(JobCancelled):
        run_action(action, clip, workdir=tmp_path, cancel_after=checkpoints - 5)

    assert list(tmp_path.iterdir()) == []


def test_several_threads_give_the_same_frames(clip: Path) -> None:
    runs = [run_action(Convert(effort="fast"), clip, threads=threads) for threads in (1, 3)]

    assert runs[0].metadata == runs[1].metadata
    assert _times(runs[0].artifacts[0].path) == _times(runs[1].artifacts[0].path)


def test_a_name_that_ffmpeg_would_take_for_an_order_is_a_name(clip: Path, tmp_path: Path) -> None:
    odd = tmp_path / "concat:a|b%03d.mp4"
    odd.write_bytes(clip.read_bytes())

    run = run_action(Convert(format="mp3"), odd)

    assert run.artifacts[0].path.name == "concat:a|b%03d.mp3"


def test_a_playlist_opens_no_other_files(speech: Path, tmp_path: Path) -> None:
    playlist = tmp_path / "list.mp4"
    (tmp_path / "speech.flac").write_bytes(speech.read_bytes())
    playlist.write_text("ffconcat version 1.0\nfile speech.flac\n")

    with pytest.raises(InvalidMedia):
        run_action(Convert(format="mp3"), playlist)


def _grays(ffmpeg: Ffmpeg, path: Path) -> Any:
    """The first three pictures as the ffmpeg program shows them."""
    raw = ("-frames:v", "3", "-f", "rawvideo", "-pix_fmt", "gray", "-")
    return np.frombuffer(ffmpeg("-i", path, *raw, binary=True), np.uint8).astype(int)


def _times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


def test_progress_goes_on_while_the_encoder_finishes(silent: Path) -> None:
    run = run_action(Convert(format="mp4", effort="fast"), silent)

    # One for each packet that is read, one for each that is written: 132 pictures.
    assert len(run.progress) >= 2 * run.metadata["picture"]["frames"]
