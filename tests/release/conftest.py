"""What a stranger would install: distributions of ours, and a folder of all other wheels."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
BASIC = tuple(
    f"mediahost_{name}-"
    for name in ("audio", "av", "documents", "images", "scenes", "speech", "subtitles")
)
DEMO = ("mediahost", *(f"mediahost-{name}" for name in ("av", "documents", "images", "speech")))
TIMEOUT_S = 600


@dataclass(frozen=True)
class Wheels:
    """Two folders: what `make dist` makes, and everything that it requires of others."""

    ours: Path
    others: Path
    demo_parts = DEMO

    @property
    def options(self) -> list[str]:
        """Options of pip and uv: take nothing from an index."""
        return ["--no-index", "--find-links", str(self.ours), "--find-links", str(self.others)]

    @property
    def environ(self) -> dict[str, str]:
        """The same, for installers that another program calls."""
        return {
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.others),
            "UV_NO_INDEX": "1",
            "UV_FIND_LINKS": str(self.others),
        }

    @staticmethod
    def run(
        argv: Sequence[object],
        environ: Mapping[str, str] = MappingProxyType({}),
        *,
        code: int = 0,
        cwd: Path | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program with a small environment; it must end with `code`."""
        passed = ("PATH", "SSL_CERT_FILE", "PIP_CACHE_DIR", "UV_CACHE_DIR", "TMPDIR", "PIP_CERT")
        done = subprocess.run(
            [str(one) for one in argv],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            cwd=cwd,
            env={name: os.environ[name] for name in passed if name in os.environ} | dict(environ),
        )
        assert done.returncode == code, f"{argv}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done

    @staticmethod
    def as_user(folder: Path) -> list[str]:
        """The beginning of a command by a user who is not root and owns a folder.

        It skips the test where that can't be done.
        """
        if os.geteuid() != 0:
            return []
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("needs setpriv")
        user = 65534
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, user, follow_symlinks=False)
        return [setpriv, f"--reuid={user}", f"--regid={user}", "--clear-groups"]

    def demo(self, program: Path, folder: Path, environ: Mapping[str, str]) -> None:
        """Run the demo twice; the second time all is cached."""
        folder.mkdir(exist_ok=True)
        argv = [program, "demo", "--json"]
        first = json.loads(self.run(argv, environ, cwd=folder).stdout)
        second = json.loads(self.run(argv, environ, cwd=folder).stdout)
        assert first["counts"]["done"] >= 10
        assert second["counts"]["cached"] == first["counts"]["done"]
        assert second["counts"]["done"] == 0


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    """The folders, made once for all processes of a test run, readable by every user."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "wheels"
    folder.mkdir(exist_ok=True)
    made = Wheels(folder / "ours", folder / "others")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            made.run([sys.executable, ROOT / "release" / "dist.py", "--output", made.ours])
            ours = sorted(made.ours.glob("*.whl"))
            # Constraints name versions that were tried together.
            made.run(
                [sys.executable, "-m", "pip", "download", "--quiet", "--dest", made.others]
                + ["--constraint", ROOT / "constraints.txt", "--find-links", made.ours]
                + [f"{wheel}[postgres]" for wheel in ours if wheel.name.startswith("mediahost-")]
                + [wheel for wheel in ours if wheel.name.startswith(BASIC)]
                + ["hatchling"],
                _registry(),
            )
            for wheel in made.others.glob("mediahost*"):
                wheel.unlink()
            (folder / "made").touch()
    return made


@pytest.fixture(scope="session")
def uv() -> str:
    """The program uv."""
    return find_uv_bin()


def _registry() -> dict[str, str]:
    """Where pip of this test run gets packages: its own environment, whatever it says."""
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")} | {
        "HOME": os.environ.get("HOME", "/")
    }
