"""Peers: other programs to compare with, in an environment of their own."""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent / ".venv"
PYTHON = HERE / "bin" / "python"
PACKAGES = ("dvc", "huey", "imageio-ffmpeg", "joblib", "watchdog", "watchfiles")


def install() -> None:
    """Make the environment, if it is not there yet.

    Raises:
        subprocess.CalledProcessError: A package can't be had.
    """
    complete = HERE / f".complete-{'-'.join(PACKAGES)}"
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
    unpacked = HERE / "b3sum"
    if not shutil.which("b3sum") and not unpacked.exists() and shutil.which("apt-get"):
        unpacked.mkdir(parents=True)
        # Without installing anything into the system.
        fetched = subprocess.run(
            ["apt-get", "--quiet", "download", "b3sum"],
            cwd=unpacked,
            check=False,
            capture_output=True,
        )
        for package in unpacked.glob("b3sum_*.deb") if fetched.returncode == 0 else ():
            subprocess.run(["dpkg-deb", "--extract", package, unpacked], check=True)
    return shutil.which("b3sum") or shutil.which("b3sum", path=unpacked / "usr" / "bin")
