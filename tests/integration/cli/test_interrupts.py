"""Ctrl-C and SIGTERM end a run in order wherever they arrive."""

import os
from pathlib import Path
from typing import Any

import pytest

PLUGIN = Path(__file__).parent.parent / "plugins" / "interrupting.py"


@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
@pytest.mark.parametrize("when", ["planning", "running"])
def test_a_signal_in_a_callback_ends_the_run(home: Any, when: str, number: str, code: int) -> None:
    home.tones(3)
    home.environ["MEDIAHOST_PLUGINS"] += os.pathsep + str(PLUGIN)
    home.environ |= {"WHEN": when, "SIGNAL": number}
    answer = home.call("run", "media", "--action", "count.wait", "-j", "1")
    assert answer.code == code
    assert "Exception ignored" not in answer.err
    assert home.query("SELECT count(*) FROM jobs WHERE status = 'processing'") == [(0,)]
    home.assert_sound()
