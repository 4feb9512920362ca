"""An hour takes no more memory than a minute, but for what the result itself holds."""

import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "media"
MORE_MB = 48

ONE_ACTION = r"""
import re, sys
from mediahost.testing import run_action
from mediahost.testing.run import installed_plugins
name, path, workdir = sys.argv[1:]
run_action(installed_plugins().action(name).configured({}), path, workdir=workdir)
# Not getrusage's: that counts the tests' own process, too, before it became this one.
(kibibytes,) = re.findall(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read())
print(int(kibibytes) / 1024)
"""

SOUND = (
    *("audio.loudness", "audio.silence", "audio.beats", "audio.normalize"),
    *("av.waveform", "speech.vad"),
)
FILM = ("scenes.detect", "av.extract_audio", "av.thumbnail", "av.contact_sheet")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`sound-60.mka`, `sound-3600.mka`, `film-60.mp4` and `film-3600.mp4`."""
    folder = tmp_path_factory.mktemp("media")
    reading, film = folder / "reading.flac", folder / "film.mp4"
    _ffmpeg("-i", EXAMPLES / "two_cities.flac", "-ar", "16000", reading)
    small = ("-vf", "fps=5,scale=160:90", "-c:v", "libx264", "-preset", "ultrafast")
    _ffmpeg("-i", EXAMPLES / "bigbuckbunny.mp4", *small, "-ac", "1", "-ar", "16000", film)
    for seconds in ("60", "3600"):
        for source, name in ((reading, f"sound-{seconds}.mka"), (film, f"film-{seconds}.mp4")):
            _ffmpeg("-stream_loop", "-1", "-i", source, "-t", seconds, "-c", "copy", folder / name)
    return folder


@pytest.mark.chaos
@pytest.mark.parametrize("action", SOUND + FILM)
def test_an_hour_takes_as_much_memory_as_a_minute(action: str, media: Path, tmp_path: Path) -> None:
    name = "sound-{}.mka" if action in SOUND else "film-{}.mp4"

    minute, hour = (
        _largest_mb(action, media / name.format(seconds), tmp_path / str(seconds))
        for seconds in (60, 3600)
    )

    assert hour <= minute + MORE_MB


def _largest_mb(action: str, path: Path, workdir: Path) -> float:
    command = [sys.executable, "-c", ONE_ACTION, action, path, workdir]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    return float(done.stdout)


def _ffmpeg(*arguments: str | Path) -> None:
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y"]
    subprocess.run([*program, *map(str, arguments)], check=True, timeout=600)
