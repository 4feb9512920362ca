"""Peers: other programs to compare with, in an environment of their own."""

import shutil
import subprocess
import sys
import zlib
from pathlib import Path

HERE = Path(__file__).parent / ".venv"
PYTHON = HERE / "bin" / "python"
PACKAGES = (
    "celery",
    "dramatiq",
    "dvc",
    "huey",
    "imageio-ffmpeg",
    "joblib",
    "pgqueuer[asyncpg]",
    "procrastinate",
    "psycopg[binary]",
    "redis",
    "taskiq",
    "taskiq-redis",
    "watchdog",
    "watchfiles",
)
# The server's program is in redis-tools; the others are what it is linked to.
REDIS_PACKAGES = (
    "redis-tools",
    "libatomic1",
    "libjemalloc2",
    "liblua5.1-0",
    "liblzf1",
    "libhiredis0.14",
    "lua-bitop",
    "lua-cjson",
)


def install() -> None:
    """Make the environment, if it is not there yet.

    Raises:
        subprocess.CalledProcessError: A package can't be had.
    """
    complete = HERE / f".complete-{zlib.crc32(repr(PACKAGES).encode()):08x}"
    if complete.exists():
        return
    print(f"Installing {', '.join(PACKAGES)} into {HERE}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", HERE], check=True)
    pip = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, *PACKAGES], check=True)
    subprocess.run([PYTHON, "-m", "compileall", "-q", HERE / "lib"], check=False)
    complete.touch()


def version(package: str) -> str:
    """The version that is installed."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run(
        [PYTHON, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def ffmpeg() -> str:
    """The ffmpeg program that comes with imageio-ffmpeg."""
    install()
    code = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"
    return subprocess.run(
        [PYTHON, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def b3sum() -> str | None:
    """The program b3sum: the system's, or the package's unpacked here; None if there is none."""
    return shutil.which("b3sum") or shutil.which("b3sum", path=_unpacked("b3sum") / "usr" / "bin")


def redis_server() -> tuple[Path, dict[str, str]] | None:
    """The program redis-server and what its environment must have, as `b3sum`; None without it."""
    if installed := shutil.which("redis-server"):
        return Path(installed), {}
    unpacked = _unpacked("redis", *REDIS_PACKAGES)
    program = unpacked / "usr" / "bin" / "redis-check-rdb"
    libraries = {str(path.parent) for path in unpacked.rglob("*.so*")}
    # It is several programs in one file, and its name tells which of them is wanted.
    server = unpacked / "redis-server"
    if not server.exists() and program.exists():
        server.symlink_to(program.resolve())
    return (server, {"LD_LIBRARY_PATH": ":".join(libraries)}) if server.exists() else None


def _unpacked(name: str, *packages: str) -> Path:
    """A folder with Debian packages unpacked, without installing anything into the system."""
    folder = HERE / name
    if not folder.exists() and shutil.which("apt-get"):
        folder.mkdir(parents=True)
        asked = ["apt-get", "--quiet", "download", *(packages or [name])]
        subprocess.run(asked, cwd=folder, check=False, capture_output=True)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
    return folder
