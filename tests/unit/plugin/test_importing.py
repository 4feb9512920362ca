"""Imports of plugins that take too long or would end the program."""

import os
import time

import pytest

from mediahost.errors import PluginError
from mediahost.plugin import importing
from mediahost.plugin.importing import watched_import


def test_an_import_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "LIMIT_S", 0.2)
    with pytest.raises(PluginError, match=r"its import took more than 0\.2 s"), watched_import("x"):
        time.sleep(60)


def test_a_slow_import_is_named_while_it_lasts(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importing, "TELL_S", 0.05)
    with watched_import("slow"):
        time.sleep(0.2)
    said = capfd.readouterr().err
    assert "The plugin slow takes" in said
    assert "mediahost plugins disable slow" in said


def test_a_child_that_an_import_forks_may_exit() -> None:
    with watched_import("forks"):
        if not (pid := os.fork()):
            os._exit(5)
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 5
    with pytest.raises(PluginError, match=r"os\._exit\(7\)"), watched_import("exits"):
        os._exit(7)
