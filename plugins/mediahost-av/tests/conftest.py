"""Real films and recordings, some of them awkward, made by the ffmpeg program."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]
import pytest

EXAMPLES = Path(__file__).parents[3] / "examples" / "media"
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def run_ffmpeg(*arguments: str | Path, binary: bool = False) -> str | bytes:
    done = subprocess.run(
        [FFMPEG, "-nostdin", "-hide_banner", "-y", *map(str, arguments)],
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout if binary else done.stderr.decode(errors="replace")


@pytest.fixture(scope="session")
def ffmpeg() -> Callable[..., str | bytes]:
    """The ffmpeg program: an independent judge."""
    return run_ffmpeg


@pytest.fixture(scope="session")
def film() -> Path:
    """5.3 s of Big Buck Bunny, 1280x720 at 25 frames per second, one keyframe, 5.1 sound."""
    return EXAMPLES / "bigbuckbunny.mp4"


@pytest.fixture(scope="session")
def speech() -> Path:
    """44.4 s of speech, mono, 48 kHz, 16 bit."""
    return EXAMPLES / "two_cities.flac"


@pytest.fixture(scope="session")
def photo() -> Path:
    return EXAMPLES / "railway.jpg"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="session")
def clip(folder: Path, film: Path) -> Path:
    """The film, 320x180, a keyframe every 12 frames with B-frames between, stereo, with tags."""
    path = folder / "clip.mp4"
    run_ffmpeg(
        *("-i", film, "-vf", "scale=320:180", "-c:v", "libx264", "-preset", "veryfast"),
        *("-crf", "12", "-g", "12", "-bf", "2", "-x264-params", "scenecut=0", "-ac", "2"),
        *("-metadata", "title=Bunny", "-metadata", "artist=Blender", path),
    )
    return path


@pytest.fixture(scope="session")
def slow_to_seek(folder: Path, clip: Path) -> Path:
    """The clip with a keyframe at its beginning only."""
    path = folder / "slow.mp4"
    run_ffmpeg(
        *("-i", clip, "-an", "-c:v", "libx264", "-preset", "veryfast", "-g", "999"),
        *("-x264-params", "scenecut=0", path),
    )
    return path


@pytest.fixture(scope="session")
def transport_stream(folder: Path, clip: Path) -> Path:
    """The clip as MPEG-TS: no index, and timestamps that begin after 1 s."""
    return _copied(clip, folder / "clip.ts")


@pytest.fixture(scope="session")
def cueless(folder: Path, clip: Path) -> Path:
    """The clip as Matroska written to a pipe: no index and no duration."""
    path = folder / "cueless.mkv"
    data = run_ffmpeg("-i", clip, "-c", "copy", "-f", "matroska", "-", binary=True)
    assert isinstance(data, bytes)
    path.write_bytes(data)
    return path


@pytest.fixture(scope="session")
def sideways(folder: Path, clip: Path) -> Path:
    """The clip as a phone writes it: lying, with a note to turn it by a quarter."""
    path = folder / "sideways.mp4"
    run_ffmpeg("-display_rotation", "90", "-i", clip, "-c", "copy", path)
    return path


@pytest.fixture(scope="session")
def silent(folder: Path, clip: Path) -> Path:
    """The clip without its sound."""
    path = folder / "silent.mp4"
    run_ffmpeg("-i", clip, "-an", "-c", "copy", path)
    return path


@pytest.fixture(scope="session")
def chaptered(folder: Path, clip: Path) -> Path:
    """The clip with two chapters."""
    path, notes = folder / "chaptered.mkv", folder / "chapters.txt"
    notes.write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=Meadow\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\nEND=5000\ntitle=Burrow\n"
    )
    run_ffmpeg("-i", clip, "-i", notes, "-map_metadata", "1", "-c", "copy", path)
    return path


@pytest.fixture(scope="session")
def gapped(folder: Path, clip: Path) -> Path:
    """The clip's sound without its second second: the timestamps jump from 1 s to 2 s."""
    path = folder / "gapped.mkv"
    run_ffmpeg(
        *("-i", clip, "-vn", "-af", "aselect='not(between(t,1,1.9999))'"),
        *("-c:a", "pcm_s16le", path),
    )
    return path


@pytest.fixture(scope="session")
def slides(folder: Path, clip: Path) -> Path:
    """Pictures from 0 to 5 s, each on view for a second: variable frame rate."""
    path = folder / "slides.mp4"
    run_ffmpeg(
        *("-i", clip, "-an", "-vf", "select='not(mod(n,25))'", "-fps_mode", "vfr"),
        *("-c:v", "libx264", "-crf", "10", path),
    )
    return path


@pytest.fixture(scope="session")
def samples_of() -> Callable[..., bytes]:
    """What the ffmpeg program decodes a file's sound to: 16 bit, as it is or as asked."""

    def samples(path: Path, *arguments: str) -> bytes:
        data = run_ffmpeg("-i", path, *arguments, "-f", "s16le", "-", binary=True)
        assert isinstance(data, bytes)
        return data

    return samples


@pytest.fixture(scope="session")
def seen_by_ffmpeg() -> Callable[[Path], dict[str, object]]:
    """What `ffmpeg -i` prints of a file: duration in seconds, codecs, tags."""

    def see(path: Path) -> dict[str, object]:
        printed = subprocess.run(
            [FFMPEG, "-hide_banner", "-i", path], capture_output=True, check=False, timeout=60
        ).stderr.decode(errors="replace")
        clock = re.search(r"Duration: (\d+):(\d+):([\d.]+)", printed)
        seconds = int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3]) if clock else None
        return {
            "duration": seconds,
            "video": re.findall(r"Video: (\w+)", printed),
            "audio": re.findall(r"Audio: (\w+)", printed),
            "size": re.findall(r"Video: .*?, (\d+)x(\d+)", printed),
            "printed": printed,
        }

    return see


def _copied(source: Path, path: Path) -> Path:
    run_ffmpeg("-i", source, "-c", "copy", path)
    return path
