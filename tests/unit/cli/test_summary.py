"""The summary of a run, as a person reads it."""

import re
from pathlib import Path
from typing import Any, cast

import pytest

from mediahost.cli.summary import print_summary
from mediahost.host.run import RowState, RunRow, Summary


def _row(state: RowState, media: Path, root: Path | None = None, **more: Any) -> RunRow:
    return RunRow(state, "av.probe", "probe", str(media), str(root or media), **more)


def test_a_file_that_a_step_made_is_named_after_its_origin_and_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    film, sound = tmp_path / "film.mp4", tmp_path / "data" / "ab" / "film.mp3"
    summary = Summary(rows=[_row(RowState.DONE, film), _row(RowState.CACHED, sound, film)])

    print_summary(summary, cast("Any", None))

    first, second, counts = capsys.readouterr().out.splitlines()
    assert first.split() == ["✔", "done", "probe", "film.mp4", "0.0", "s"]
    assert second == "⚡ cached    probe              film.mp3 made from film.mp4"
    assert counts.startswith("1 file: 1 done, 1 cached, 0 failed in ")


def test_colours_are_for_terminals_and_those_who_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = _row(RowState.FAILED, tmp_path / ":boom: [red].mp4", error="No [bold]sound[/bold]")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    print_summary(Summary(rows=[row]), cast("Any", None))
    plain = capsys.readouterr().out
    assert "\x1b" not in plain
    assert ":boom: [red].mp4" in plain
    assert "    No [bold]sound[/bold]\n" in plain

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    print_summary(Summary(rows=[row]), cast("Any", None))
    coloured = capsys.readouterr().out
    assert "\x1b[31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
