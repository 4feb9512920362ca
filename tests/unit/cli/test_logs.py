"""Log lines on standard error, whatever became of it."""

import logging
import sys
from io import StringIO

import pytest

from mediahost.cli.logs import log_to_stderr
from mediahost.threads import guarded


class _Gone(StringIO):
    """Standard error whose reader has ended."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The root logger as in a new program."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    log_to_stderr(debug=False)


def test_an_error_is_a_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("mediahost.x").error("The disk is full")
    assert capsys.readouterr().err == "mediahost: The disk is full\n"


def test_a_guard_holds_where_nobody_reads_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", _Gone())

    def work() -> None:
        raise ValueError("broken")

    seen: list[BaseException] = []
    assert not guarded(work, seen.append)
    assert [str(error) for error in seen] == ["broken"]
