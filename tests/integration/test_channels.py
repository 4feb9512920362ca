"""Sound of many channels: every action that listens takes it, and finds what is in each channel."""

import subprocess
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]
import numpy as np
import pytest

from mediahost import InvalidMedia
from mediahost.testing import run_action
from mediahost_audio import Beats, Loudness, Normalize, Silence
from mediahost_av import Convert, ExtractAudio, ExtractSegment, Waveform
from mediahost_speech.vad import SpeechVad

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
EXAMPLES = Path(__file__).parents[2] / "examples" / "media"


def _ffmpeg(*arguments: str | Path) -> bytes:
    done = subprocess.run(
        [FFMPEG, "-loglevel", "error", "-y", *map(str, arguments)], capture_output=True, check=True
    )
    return done.stdout


def _samples(path: Path, channels: int) -> "np.ndarray[tuple[int, int], np.dtype[np.int16]]":
    return np.frombuffer(_ffmpeg("-i", path, "-f", "s16le", "-"), "<i2").reshape(-1, channels)


def _tones(channels: int) -> str:
    """1 s of silence, 2 s in which only the last channel sounds, 1 s of silence."""
    last = r"0.5*sin(2*PI*440*t)*between(t\,1\,3)"
    return "|".join([*["0"] * (channels - 1), last])


@pytest.fixture(params=[8, 9, 16, 24])
def crowded(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, int]:
    path = tmp_path / "crowded.wav"
    _ffmpeg("-f", "lavfi", "-i", f"aevalsrc={_tones(request.param)}:d=4:s=48000", path)
    return path, request.param


def test_the_last_of_many_channels_is_heard(crowded: tuple[Path, int]) -> None:
    path, channels = crowded

    run_action(Silence(min_s=0.5), path).assert_ranges((0, 1), (3, 4), tolerance=0.01)
    run_action(Waveform(width=64), path).assert_metadata(peak=pytest.approx(0.5, abs=0.01))
    assert run_action(Loudness(), path).metadata["true_peak_dbtp"] == pytest.approx(-6, abs=0.2)
    for action in (Convert(format="flac"), ExtractAudio(format="flac"), ExtractSegment()):
        (made,) = run_action(action, path).artifacts
        loud = np.abs(_samples(made.path, min(channels, 8))).max(axis=0)
        # The last channel is one of the eight, or has its share in one of them.
        assert loud.max() == pytest.approx(16384 / -(-channels // 8), rel=0.3)


@pytest.mark.parametrize("action", [SpeechVad(), Beats(), Normalize(format="flac")], ids=str)
def test_many_channels_are_mixed_or_refused_in_a_sentence(
    action: SpeechVad | Beats | Normalize, crowded: tuple[Path, int]
) -> None:
    path, channels = crowded
    if channels in {8, 16, 24}:
        run_action(action, path)
    else:
        with pytest.raises(InvalidMedia, match=f"{channels} channels in no known order"):
            run_action(action, path)


def test_a_gap_in_sound_of_eight_channels_is_silence(tmp_path: Path) -> None:
    """Planar samples with a gap in their times: the silence between has eight channels too."""
    path = tmp_path / "gap.mkv"
    tone = "|".join(["0.5*sin(2*PI*440*t)"] * 8)
    _ffmpeg(
        *("-f", "lavfi", "-i", f"aevalsrc={tone}:d=4:s=48000:c=7.1"),
        *("-af", "aselect='not(between(t,1,2.9999))'", "-c:a", "aac", path),
    )

    (found,) = run_action(Silence(min_s=1), path).ranges
    assert (found.start, found.end) == pytest.approx((1, 3), abs=0.1)
    (heard,) = run_action(Normalize(format="flac"), path).artifacts
    assert _samples(heard.path, 8).shape[0] == pytest.approx(4 * 48000, rel=0.02)
    run_action(Waveform(width=64), path)
    run_action(Loudness(), path)
