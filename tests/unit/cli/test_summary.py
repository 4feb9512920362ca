"""The summary of a run, as a person reads it."""

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
