"""Calls of the program within this process: quick, where a process of its own adds nothing."""

import signal
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from mediahost.cli.app import run_app

if TYPE_CHECKING:
    from tests.integration.conftest import Answer, Home

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
