"""The summary of a run."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from mediahost.cli.output import counted, made_from, paragraph, place, print_json, seconds, tally
from mediahost.host.run import RowState, RunRow, Summary
from mediahost.model.paths import display, path_to_url

if TYPE_CHECKING:
    from mediahost.host.planner import Recipe

# Prints a line: texts, each with its style.
Print = Callable[..., None]

GLYPHS = {
    RowState.DONE: ("✔", "green"),
    RowState.CACHED: ("⚡", "cyan"),
    RowState.FAILED: ("✖", "red"),
    RowState.CANCELLED: ("–", "yellow"),  # noqa: RUF001 - a dash on purpose
    RowState.BLOCKED: ("·", "yellow"),
    RowState.SKIPPED: ("–", "yellow"),  # noqa: RUF001 - a dash on purpose
    RowState.UNAVAILABLE: ("✖", "red"),
    RowState.TO_DO: ("▷", "blue"),
}
_GOOD = (RowState.CACHED, RowState.DONE, RowState.TO_DO, RowState.SKIPPED)
ALWAYS_COUNTED = (RowState.DONE, RowState.CACHED, RowState.FAILED)

# More rows than fit a screen or two tell a person nothing: then only what went wrong is shown, and
# of that the first.
MOST_ROWS = 50
MOST_FAULTS = 20


def print_summary(summary: Summary, recipe: "Recipe", *, as_json: bool = False) -> None:
    """Print what a run did: a line for each step on each file, then the count."""
    if as_json:
        print_json(_to_json(summary))
        return
    print_line = _printer()
    shown = _one_of_each_lack(_worth_showing(summary))
    for row in shown:
        # What was missing at the start was said there.
        _print_row(print_line, row, is_told=row.error in summary.lacking.values())
    unlisted = ((_is_fault, "that gave no result"), (_is_incomplete, "with incomplete results"))
    for is_such, what in unlisted:
        more = sum(map(is_such, summary.rows)) - sum(map(is_such, shown))
        if more:
            print_line((f"... and {more:,} more {what}: --json lists them all", ""))
    for problem in summary.problems[:MOST_FAULTS]:
        sys.stderr.write(f"mediahost: {display(problem.message)}\n")
        if problem.hint:
            sys.stderr.write(f"  {display(problem.hint)}\n")
    if len(summary.problems) > MOST_FAULTS:
        more = len(summary.problems) - MOST_FAULTS
        sys.stderr.write(f"mediahost: {counted(more, 'more file')} can't be used\n")
    print_line((_counts(summary, recipe), ""))
    if any(row.state is RowState.FAILED for row in summary.rows):
        print_line(("Look closer with: mediahost jobs list --status failed", ""))


def _printer() -> Print:
    """What prints in colours on a terminal, and elsewhere without the time that it takes to load.

    FORCE_COLOR is for those who show a program's output in colours later.
    """
    if not (sys.stdout.isatty() or os.environ.get("FORCE_COLOR")):
        return _print_plain
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    return lambda *parts: console.print(Text.assemble(*parts))


def _print_plain(*parts: tuple[str, str]) -> None:
    sys.stdout.write("".join(text for text, _ in parts) + "\n")
    # What follows may go to standard error, and both to one place.
    sys.stdout.flush()


def _is_fault(row: RunRow) -> bool:
    return row.state not in _GOOD


def _is_incomplete(row: RunRow) -> bool:
    return row.incomplete is not None


def _worth_showing(summary: Summary) -> list[RunRow]:
    if len(summary.rows) + summary.unlisted <= MOST_ROWS:
        return summary.rows
    faults = [row for row in summary.rows if _is_fault(row)]
    incomplete = [row for row in summary.rows if _is_incomplete(row)]
    return [*faults[:MOST_FAULTS], *incomplete[:MOST_FAULTS]]


def _one_of_each_lack(rows: list[RunRow]) -> list[RunRow]:
    """What is missing is said once, not for each file."""
    said: set[tuple[str, str | None]] = set()
    shown = []
    for row in rows:
        is_lack = row.state in (RowState.UNAVAILABLE, RowState.SKIPPED)
        if not is_lack or (row.step, row.error) not in said:
            shown.append(row)
        if is_lack:
            said.add((row.step, row.error))
    return shown


def _print_row(print_line: Print, row: RunRow, *, is_told: bool) -> None:
    glyph, color = GLYPHS[row.state]
    took = f"  {seconds(row.elapsed_ms)}" if row.state is RowState.DONE else ""
    print_line(
        (f"{glyph} {row.state:<9}", color),
        (f" {display(row.step):<18} {made_from(row.media_url, row.root_url)}", ""),
        (took, "dim"),
    )
    for note in paragraph("" if is_told else row.error or "").splitlines():
        print_line((f"    {note}", "red"))
    if row.incomplete:
        print_line((f"    incomplete: {display(row.incomplete)}", "yellow"))
    for path in row.artifacts:
        print_line((f"    -> {place(path)}", ""))


def _counts(summary: Summary, recipe: "Recipe") -> str:
    if not summary.rows and not summary.problems and not summary.unlisted:
        kinds = {kind for action in recipe.actions.values() for kind in action.info.accepts}
        ignored = f"; {counted(summary.ignored, 'other file')} ignored" if summary.ignored else ""
        return f"Nothing to do: no {' or '.join(sorted(kinds))} files there{ignored}"
    files = len({row.root_url for row in summary.rows}) + summary.unlisted_files
    counts = {
        str(state): summary.count(state)
        for state in RowState
        if summary.count(state) or state in ALWAYS_COUNTED
    }
    if summary.incomplete:
        counts["incomplete"] = summary.incomplete
    told = tally(files, counts, len(summary.problems), summary.seconds, summary.saved_ms)
    return f"{told}; {counted(summary.own, 'own output')} left out" if summary.own else told


def _to_json(summary: Summary) -> dict[str, object]:
    return {
        "counts": {str(state): summary.count(state) for state in RowState},
        "saved_ms": summary.saved_ms,
        "seconds": round(summary.seconds, 3),
        "ignored": summary.ignored,
        "own": summary.own,
        "problems": [
            {"path": path_to_url(problem.path), "message": problem.message, "hint": problem.hint}
            for problem in summary.problems
        ],
        "rows": [row.to_json() for row in summary.rows],
    }
