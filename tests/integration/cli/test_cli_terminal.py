"""The program in a real terminal: bars while jobs run, and nothing left of them at the end."""

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Terminal
    from tests.integration.conftest import Home, Starts

pytestmark = pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")


def test_bars_fit_the_terminal_and_go_away_at_the_end(home: "Home", terminal: "Terminal") -> None:
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
    home: "Home", terminal: "Terminal", starts: "Starts"
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
