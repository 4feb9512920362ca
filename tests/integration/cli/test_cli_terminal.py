"""The program in a real terminal: bars while jobs run, and nothing left of them at the end."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.conftest import Home, Starts

TMUX = shutil.which("tmux") or ""
TIMEOUT_S = 30.0

pytestmark = pytest.mark.skipif(not TMUX, reason="tmux is not installed")


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


def test_bars_fit_the_terminal_and_go_away_at_the_end(home: "Home", terminal: Terminal) -> None:
    home.tone("a recording with a name that is longer than any terminal is wide.wav")
    home.tone("b.wav", 500)
    terminal.start("mediahost run media --action count.wait --jobs 2")
    lines = terminal.wait_for(lambda lines: sum("25%" in line for line in lines) == 2)
    assert lines[0].startswith("all jobs")
    assert "0/2" in lines[0]
    assert lines[1].startswith("  count.wait a recording")
    assert "…" in lines[1]
    assert [line for line in lines if line][3:] == []

    terminal.widen(120)
    terminal.wait_for(lambda lines: any(len(line) > 80 for line in lines))
    (home.folder / "open").touch()
    lines = terminal.wait_for(lambda lines: "[0]" in lines)
    shown = [line for line in lines if line]
    assert shown[0].startswith("✔ done      count.wait")
    assert "2 files: 2 done, 0 cached, 0 failed in" in "".join(shown)
    assert not [line for line in shown if "━" in line]


def test_ctrl_c_leaves_a_sentence_and_no_bars(
    home: "Home", terminal: Terminal, starts: "Starts"
) -> None:
    home.tone("a.wav")
    terminal.start("mediahost run media --action count.wait")
    starts.wait()
    terminal.wait_for(lambda lines: lines[0].startswith("all jobs"))
    terminal.type("C-c")
    lines = terminal.wait_for(lambda lines: "[130]" in lines)
    assert [line for line in lines if line] == [
        "mediahost: Interrupted; what was done is kept",
        "  Run the same again to do the rest.",
        "[130]",
    ]
    assert home.jobs() == {"pending": 1}
