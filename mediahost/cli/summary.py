"""The summary of a run."""

import sys
from typing import TYPE_CHECKING

from mediahost.cli.output import counted, print_json, seconds
from mediahost.host.run import RowState, RunRow, Summary
from mediahost.model.media import display, url_to_path

if TYPE_CHECKING:
    from rich.text import Text

GLYPHS = {
    RowState.DONE: ("✔", "green"),
    RowState.CACHED: ("⚡", "cyan"),
    RowState.FAILED: ("✖", "red"),
    RowState.CANCELLED: ("–", "yellow"),  # noqa: RUF001 - a dash on purpose
    RowState.BLOCKED: ("·", "yellow"),
    RowState.TO_DO: ("▷", "blue"),
}

# More rows than fit a few screens tell a person nothing; failures are shown whatever their number.
MOST_ROWS = 100


def print_summary(summary: Summary, *, as_json: bool = False) -> None:
    """Print what a run did: a line for each step on each file, then the count."""
    if as_json:
        print_json(_to_json(summary))
        return
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for row in _worth_showing(summary):
        console.print(_line(row))
        for note in (row.error or "").splitlines():
            console.print(f"    {display(note)}", style="red", markup=False)
        for path in row.artifacts:
            console.print(f"    -> {display(path)}", markup=False)
    for problem in summary.problems:
        sys.stderr.write(f"mediahost: {problem.message}\n")
    console.print(_counts(summary), markup=False)


def _worth_showing(summary: Summary) -> list[RunRow]:
    if len(summary.rows) <= MOST_ROWS:
        return summary.rows
    return [row for row in summary.rows if row.state not in (RowState.CACHED, RowState.DONE)]


def _line(row: RunRow) -> "Text":
    from rich.text import Text

    glyph, color = GLYPHS[row.state]
    took = f"  {seconds(row.elapsed_ms)}" if row.state is RowState.DONE else ""
    return Text.assemble(
        (f"{glyph} {row.state:<9}", color),
        f" {row.step:<20} {display(_short(row.media_url))}",
        (took, "dim"),
    )


def _short(media_url: str) -> str:
    from os.path import relpath

    path = url_to_path(media_url)
    below = relpath(path)
    return path if below.startswith("..") else below


def _counts(summary: Summary) -> str:
    files = len({row.media_url for row in summary.rows})
    parts = [
        f"{summary.count(state)} {state}"
        for state in RowState
        if summary.count(state) or state in (RowState.DONE, RowState.CACHED, RowState.FAILED)
    ]
    if summary.problems:
        parts.append(f"{len(summary.problems)} not readable")
    text = f"{counted(files, 'file')}: {', '.join(parts)} in {seconds(summary.seconds * 1000)}"
    if summary.saved_ms:
        text += f"; the cache saved {seconds(summary.saved_ms)}"
    if not summary.rows and not summary.problems:
        text += f" ({counted(summary.ignored, 'file')} of other kinds ignored)"
    return text


def _to_json(summary: Summary) -> dict[str, object]:
    return {
        "counts": {str(state): summary.count(state) for state in RowState},
        "saved_ms": summary.saved_ms,
        "seconds": round(summary.seconds, 3),
        "ignored": summary.ignored,
        "problems": [
            {"path": problem.path, "message": problem.message} for problem in summary.problems
        ],
        "rows": [row.to_json() for row in summary.rows],
    }
