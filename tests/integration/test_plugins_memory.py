"""An hour takes no more memory than a minute, but for what the result itself holds."""

import json
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "media"
MORE_MB = 48

# In a process of its own, and without what the tests' kit keeps: 40 MB of an hour's progress.
ONE_ACTION = Path(__file__).parents[2] / "benchmarks" / "programs" / "one_action.py"

SOUND = (
    *("audio.loudness", "audio.silence", "audio.beats", "audio.normalize"),
    *("av.waveform", "speech.vad"),
)
FILM = ("scenes.detect", "av.extract_audio", "av.thumbnail", "av.contact_sheet")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`sound-60.mka`, `sound-600.mka`, `sound-3600.mka`, `film-60.mp4` and so on."""
    folder = tmp_path_factory.mktemp("media")
    reading, film = folder / "reading.flac", folder / "film.mp4"
    _ffmpeg("-i", EXAMPLES / "two_cities.flac", "-ar", "16000", reading)
    small = ("-vf", "fps=5,scale=160:90", "-c:v", "libx264", "-preset", "ultrafast")
    _ffmpeg("-i", EXAMPLES / "bigbuckbunny.mp4", *small, "-ac", "1", "-ar", "16000", film)
    for seconds in ("60", "600", "3600"):
        for source, name in ((reading, f"sound-{seconds}.mka"), (film, f"film-{seconds}.mp4")):
            _ffmpeg("-stream_loop", "-1", "-i", source, "-t", seconds, "-c", "copy", folder / name)
    return folder


@pytest.mark.chaos
@pytest.mark.parametrize("action", SOUND + FILM)
def test_an_hour_takes_as_much_memory_as_a_minute(action: str, media: Path) -> None:
    name = "sound-{}.mka" if action in SOUND else "film-{}.mp4"

    minute, hour = (_largest_mb(action, media / name.format(seconds)) for seconds in (60, 3600))

    assert hour <= minute + MORE_MB


@pytest.mark.chaos
def test_ten_minutes_of_speech_are_written_down_in_the_memory_of_one(media: Path) -> None:
    quick = {"model": "tiny.en", "beam_size": 1}

    one, ten = (
        _largest_mb("speech.transcribe", media / f"sound-{seconds}.mka", quick)
        for seconds in (60, 600)
    )

    assert ten <= one + MORE_MB


def _largest_mb(action: str, path: Path, config: dict[str, object] | None = None) -> float:
    command: list[str | Path] = [sys.executable, ONE_ACTION, action, path, json.dumps(config or {})]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=900)
    largest: float = json.loads(done.stdout)["largest_mb"]
    return largest


def _ffmpeg(*arguments: str | Path) -> None:
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y"]
    subprocess.run([*program, *map(str, arguments)], check=True, timeout=600)
