"""How things are printed."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mediahost.cli.output import (
    clock,
    counted,
    local_time,
    paragraph,
    place,
    print_json,
    print_table,
    seconds,
    size,
)


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0.0 s"),
        (440, "0.4 s"),
        (9_949, "9.9 s"),
        (9_960, "10 s"),
        (59_600, "1 min 0 s"),
        (200_000, "3 min 20 s"),
        (3_599_900, "1 h 0 min"),
        (7_500_000, "2 h 5 min"),
    ],
)
def test_a_duration_is_said_in_the_units_that_matter(ms: float, text: str) -> None:
    assert seconds(ms) == text


@pytest.mark.parametrize(
    ("at", "text"), [(0, "00:00.0"), (83.44, "01:23.4"), (59.96, "01:00.0"), (3723.5, "1:02:03.5")]
)
def test_a_place_in_a_recording_reads_like_a_clock(at: float, text: str) -> None:
    assert clock(at) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "?"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_960, "1.0 MB"),
        (1_500_000, "1.5 MB"),
        (2 * 10**12, "2.0 TB"),
        (10**15, "1000.0 TB"),
    ],
)
def test_a_size_is_in_powers_of_a_thousand(count: int | None, text: str) -> None:
    assert size(count) == text


def test_numbers_agree_with_their_nouns() -> None:
    assert counted(1, "file") == "1 file"
    assert counted(0, "file") == "0 files"
    assert counted(12_345, "file") == "12,345 files"


def test_a_moment_is_shown_on_the_machines_clock() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert local_time(moment) == moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert local_time(None) == ""


def test_json_is_ascii_and_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    data = {"name": "Füße\n\udcff", "none": None}
    print_json(data)
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert json.loads(printed) == data


def test_in_a_pipe_each_row_is_a_line_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("A", "B"), [("x" * 300, "[red]"), ("y", "")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{'A':300}  B", f"{'x' * 300}  [red]", "y"]


def test_text_from_elsewhere_keeps_its_lines_and_loses_its_control_characters() -> None:
    assert paragraph("one\x1b[31m\ntwo\r\nthree") == "one\\x1b[31m\ntwo\nthree"


def test_a_path_below_the_working_folder_is_shown_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert place(str(tmp_path / "a" / "b.mp3")) == "a/b.mp3"
    assert place("/elsewhere/b.mp3") == "/elsewhere/b.mp3"
    assert place("file://" + str(tmp_path) + "/%FF.mp3") == "\\udcff.mp3"
