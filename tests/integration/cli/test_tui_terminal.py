"""The TUI in a real terminal, on a real host and a real store."""

import os
import re
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mediahost.store import open_store
from mediahost.tui.hosts import is_heard

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Terminal
    from tests.integration.conftest import Home


pytestmark = pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")


def running_hosts(home: "Home") -> list[int]:
    store = open_store(home.data / "store.db")
    try:
        return [host.heartbeat.pid for host in store.hosts() if is_heard(host)]
    finally:
        store.close()


def stop_hosts(home: "Home") -> None:
    for process in running_hosts(home):
        os.kill(process, signal.SIGTERM)


def workers_of(programs: Iterable[int]) -> set[int]:
    """The processes that these programs have jobs done by."""
    return {
        int(child)
        for program in programs
        for task in Path(f"/proc/{program}/task").iterdir()
        for child in (task / "children").read_text().split()
    }


def is_second_attempt(line: str) -> bool:
    return "▶ processing count.wait" in line and " 2/" in line


def test_from_first_key_to_quit(home: "Home", terminal: "Terminal") -> None:
    """Start, start a host, run, cancel, retry, filter, kill a worker, resize, quit."""
    home.tones(3)
    home.call("run", "media", "--action", "count.look")
    terminal.start('stty -a > before; mediahost tui; echo "left [$?]"; stty -a > after')
    terminal.wait_for(lambda lines: any("1-3 of 3" in line for line in lines))
    terminal.wait_for(lambda lines: any("✔ completed  count.look" in line for line in lines))

    terminal.type("h")
    try:
        terminal.wait_for(lambda lines: "● 1 host" in lines[0])
        run = home.start("run", "media/000.wav", "--action", "count.wait")
        terminal.wait_for(lambda lines: any("▶ processing count.wait" in line for line in lines))
        for worker in workers_of({*running_hosts(home), run.pid}):
            os.kill(worker, signal.SIGKILL)
        terminal.wait_for(lambda lines: any(is_second_attempt(line) for line in lines))
        terminal.type("x")
        terminal.wait_for(lambda lines: any("Cancel job 4?" in line for line in lines))
        terminal.type("y")
        terminal.wait_for(lambda lines: any("⊘ cancelled  count.wait" in line for line in lines))
        run.communicate(timeout=60)
        (home.folder / "open").touch()
        terminal.type("r")
        terminal.wait_for(lambda lines: any("✔ completed  count.wait" in line for line in lines))

        terminal.type("/")
        for letter in "action:count.look":
            terminal.type(letter)
        terminal.type("Enter")
        terminal.wait_for(lambda lines: any("1-3 of 3" in line for line in lines))
        terminal.type("Enter")
        terminal.wait_for(lambda lines: any("[Result]" in line for line in lines))
        terminal.type("Escape")
        terminal.widen(120)
        terminal.wait_for(lambda lines: len(lines[0]) > 90)
        terminal.wait_for(lambda lines: any("TRY   AGE" in line for line in lines))
        terminal.type("q")
        lines = terminal.wait_for(lambda lines: any("left [0]" in line for line in lines))
        assert any("A host goes on with the jobs." in line for line in lines)
        assert running_hosts(home)
    finally:
        stop_hosts(home)
    before, after = ((home.folder / name).read_text() for name in ("before", "after"))
    speed = re.compile(r"rows \d+; columns \d+;")
    assert speed.sub("", before) == speed.sub("", after)
