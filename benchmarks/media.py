"""Media files of any length, made of the examples by the ffmpeg program."""

import subprocess
from pathlib import Path

from benchmarks import peers

EXAMPLES = Path(__file__).parents[1] / "examples" / "media"
WORK = Path(__file__).parent / "work" / "media"


def film(seconds: int) -> Path:
    """Big Buck Bunny over and over: 1280x720, a keyframe every 10 s, 5.1 sound."""
    path = WORK / f"film-{seconds}.mp4"
    _make(
        path,
        *("-stream_loop", "-1", "-i", EXAMPLES / "bigbuckbunny.mp4", "-t", str(seconds)),
        *("-c:v", "libx264", "-preset", "veryfast", "-x264-params", "keyint=250", "-c:a", "aac"),
    )
    return path


def feature(seconds: int) -> Path:
    """A minute of `film` over and over, for those who look at a film as a whole."""
    path = WORK / f"feature-{seconds}.mp4"
    _make(path, "-stream_loop", "-1", "-i", film(60), "-t", str(seconds), "-c", "copy")
    return path


def small_film(seconds: int) -> Path:
    """The same with few pixels and few pictures, for films of an hour."""
    once = WORK / "small-film.mp4"
    _make(
        once,
        *("-i", EXAMPLES / "bigbuckbunny.mp4", "-vf", "fps=5,scale=160:90"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-ac", "1", "-ar", "16000", "-c:a", "aac"),
    )
    path = WORK / f"small-film-{seconds}.mp4"
    _make(path, "-stream_loop", "-1", "-i", once, "-t", str(seconds), "-c", "copy")
    return path


def sound(seconds: int) -> Path:
    """A reading over and over: mono, 48 kHz, FLAC."""
    path = WORK / f"sound-{seconds}.flac"
    _make(
        path,
        *("-stream_loop", "-1", "-i", EXAMPLES / "two_cities.flac", "-t", str(seconds)),
        *("-c:a", "flac", "-compression_level", "0"),
    )
    return path


def _make(path: Path, *arguments: str | Path) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"unfinished-{path.name}")
    program = [peers.ffmpeg(), "-nostdin", "-v", "error", "-y"]
    subprocess.run([*program, *map(str, arguments), unfinished], check=True)
    unfinished.replace(path)
