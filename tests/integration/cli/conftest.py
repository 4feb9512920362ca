"""Calls of the program within this process: quick, where a process of its own adds nothing."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mediahost.cli.app import run_app

if TYPE_CHECKING:
    from tests.integration.conftest import Answer, Home

TMUX = shutil.which("tmux") or ""
TIMEOUT_S = 30.0

Call = Callable[..., "Answer"]


@pytest.fixture
def call(
    home: "Home", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Call]:
    """`mediahost ARGUMENTS` in the home's folder, jobs run by a thread of this process."""
    for name, value in {**home.environ, "MEDIAHOST_EXECUTOR": "inline", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home.folder)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    answer: type[Answer] = sys.modules[type(home).__module__].Answer

    def called(*arguments: str) -> "Answer":
        monkeypatch.setattr(sys, "argv", ["mediahost", *arguments])
        code = run_app()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return answer(code, out, err)

    yield called
    for number, handler in handlers.items():
        signal.signal(number, handler)


class Terminal:
    """A terminal of 80 columns that a program can be started in and looked at."""

    def __init__(self, home: "Home") -> None:
        self._socket = str(home.folder / "tmux")
        self._home = home

    def start(self, command: str) -> None:
        """Run a command line; `[its exit code]` follows what it wrote.

        The shell outlives a Ctrl-C, so that there is something to look at.
        """
        shell = f'trap : INT; {command}; echo "[$?]"; cat'
        self._tmux("-f", os.devnull, "new-session", "-d", "-x", "80", "-y", "24", "sh", "-c", shell)

    def type(self, key: str) -> None:
        """Press a key."""
        self._tmux("send-keys", key)

    def widen(self, columns: int) -> None:
        """Give the window another width."""
        self._tmux("resize-window", "-x", str(columns))

    def screen(self) -> list[str]:
        """The lines that a person sees."""
        return self._tmux("capture-pane", "-p").rstrip("\n").split("\n")

    def wait_for(self, seen: Callable[[list[str]], object]) -> list[str]:
        """Look until something is seen."""
        deadline = time.monotonic() + TIMEOUT_S
        while not seen(lines := self.screen()):
            assert time.monotonic() < deadline, "\n".join(lines)
            time.sleep(0.05)  # a terminal can only be looked at
        return lines

    def close(self) -> None:
        """End the terminal and what runs in it."""
        self._tmux("kill-server")

    def _tmux(self, *arguments: str) -> str:
        environ = {
            **self._home.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{self._home.environ['PATH']}",
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
        }
        return subprocess.run(
            [TMUX, "-S", self._socket, *arguments],
            env=environ,
            cwd=self._home.folder,
            capture_output=True,
            text=True,
            check=True,
        ).stdout


@pytest.fixture
def terminal(home: "Home") -> Iterator[Terminal]:
    opened = Terminal(home)
    yield opened
    opened.close()
