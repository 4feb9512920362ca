"""A new user's workplace: the examples of a checkout, an empty home, and the program."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Calls lines of a shell in a folder that has `examples/`, as the documents assume."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    environ = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "MEDIAHOST_WORKERS": "2",
        "COLUMNS": "100",
        **{name: os.environ[name] for name in ("LANG", "PYTHONPATH") if name in os.environ},
    }

    def called(lines: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["sh", "-euc", lines],
            cwd=tmp_path,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return called
