import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mediahost import InvalidMedia
from mediahost.errors import InvalidConfig
from mediahost.testing import run_action
from mediahost_av import ExtractAudio

Ffmpeg = Callable[..., Any]
Seen = Callable[[Path], dict[str, Any]]
SamplesOf = Callable[..., bytes]


def test_the_sound_of_a_film_is_copied_without_loss(
    film: Path, samples_of: SamplesOf, seen_by_ffmpeg: Seen
) -> None:
    run = run_action(ExtractAudio(), film)

    run.assert_artifact(asset_type="audio", mime_type="audio/mp4")
    run.assert_metadata(copied=True, format="m4a")
    made = run.artifacts[0].path
    assert seen_by_ffmpeg(made)["video"] == []
    assert seen_by_ffmpeg(made)["audio"] == ["aac"]
    assert samples_of(made) == samples_of(film, "-vn")


@pytest.mark.parametrize(
    ("codec", "encoder"), [("mp3", "libmp3lame"), ("opus", "libopus"), ("flac", "flac")]
)
def test_a_codec_is_copied_to_where_it_is_at_home(
    codec: str, encoder: str, clip: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    film = tmp_path / "film.mkv"
    ffmpeg("-i", clip, "-c:v", "copy", "-c:a", encoder, film)

    run = run_action(ExtractAudio(), film)

    run.assert_metadata(copied=True)
    made = run.artifacts[0].path
    assert made.suffix == f".{codec}"
    printed = ffmpeg("-i", made, "-f", "null", "-")
    assert re.search(rf"Audio: {codec}", printed)
    assert re.search(r"time=00:00:05\.[23]", printed)


def test_uncompressed_sound_becomes_a_wav_of_the_same_samples(
    clip: Path, tmp_path: Path, ffmpeg: Ffmpeg, samples_of: SamplesOf
) -> None:
    film = tmp_path / "film.mkv"
    ffmpeg("-i", clip, "-c:v", "copy", "-c:a", "pcm_s16le", film)

    run = run_action(ExtractAudio(), film)

    run.assert_metadata(copied=False, format="wav")
    assert samples_of(run.artifacts[0].path) == samples_of(film)


def test_what_has_no_home_here_is_encoded(clip: Path, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    film = tmp_path / "film.mkv"
    ffmpeg("-i", clip, "-c:v", "copy", "-c:a", "ac3", film)

    run_action(ExtractAudio(), film).assert_metadata(copied=False, format="m4a")


def test_it_is_encoded_as_asked(film: Path, samples_of: SamplesOf, seen_by_ffmpeg: Seen) -> None:
    run = run_action(ExtractAudio(format="wav", sample_rate=16_000, channels=1), film)

    run.assert_metadata(copied=False)
    assert run.metadata["sound"] == pytest.approx(
        {"codec": "pcm", "sample_rate": 16_000, "channels": 1, "samples": 84_992}, abs=200
    )
    ours = np.frombuffer(samples_of(run.artifacts[0].path), "<i2").astype(float)
    theirs = np.frombuffer(samples_of(film, "-vn", "-ac", "1", "-ar", "16000"), "<i2").astype(float)
    size = min(len(ours), len(theirs))
    assert abs(len(ours) - len(theirs)) < 200
    assert np.corrcoef(ours[:size], theirs[:size])[0, 1] > 0.99


def test_another_bit_rate_of_the_same_codec_is_encoded(film: Path) -> None:
    run = run_action(ExtractAudio(format="m4a", audio_bitrate=64, channels=2), film)

    run.assert_metadata(copied=False)
    assert (run.artifacts[0].size or 0) < 64_000 / 8 * 5.4 * 1.3


def test_a_silent_film_is_refused(silent: Path) -> None:
    with pytest.raises(InvalidMedia, match=r"silent\.mp4 has no sound"):
        run_action(ExtractAudio(), silent)


def test_what_a_format_does_not_take_is_refused_at_the_door() -> None:
    with pytest.raises(InvalidConfig, match="lossless"):
        ExtractAudio.configured({"format": "flac", "audio_bitrate": 128})
    with pytest.raises(InvalidConfig, match="2 channels at most"):
        ExtractAudio.configured({"format": "mp3", "channels": 6})


def test_recordings_one_behind_the_other_in_one_file_are_encoded_as_one(
    speech: Path, tmp_path: Path, ffmpeg: Ffmpeg, samples_of: SamplesOf
) -> None:
    part = tmp_path / "part.ogg"
    ffmpeg("-i", speech, "-t", "2", "-c:a", "libvorbis", part)
    radio = tmp_path / "radio.ogg"
    radio.write_bytes(part.read_bytes() * 2)

    run = run_action(ExtractAudio(), radio)

    run.assert_metadata(copied=False, format="ogg")
    assert "so it is encoded anew" in run.log[0]
    made = np.frombuffer(samples_of(run.artifacts[0].path, "-ac", "1", "-ar", "8000"), "<i2")
    assert made.size == pytest.approx(2 * 16_000, abs=100)
    first = made[6000:12_000].astype(float)
    # Vorbis has a block of sound that is too much at a beginning.
    again = [made[22_000 + late : 28_000 + late] for late in range(200)]
    assert max(np.corrcoef(first, part)[0, 1] for part in again) > 0.98
