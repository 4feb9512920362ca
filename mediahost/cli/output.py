"""How things are printed: tables, JSON, examples, durations, sizes."""

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mediahost.model.paths import display, is_remote, url_to_path
from mediahost.model.pause import Pause

COLUMN_GAP = 2

# No database counts any further.
MOST = 2**63 - 1


def print_json(data: Any) -> None:
    """Print as JSON, readable and in ASCII, so that any terminal and any name will do."""
    sys.stdout.write(json.dumps(data, indent=2, default=str) + "\n")


def print_text(text: str) -> None:
    """Print text for programs as it is, such as subtitles; a terminal obeys nothing in it."""
    sys.stdout.write(safe_lines(text) if sys.stdout.isatty() else text)


def safe_lines(text: str) -> str:
    """Text with its lines and tabs; whatever else a terminal would obey is shown instead."""
    return re.sub(r"[^\n\t]+", lambda found: display(found[0]), text.replace("\r\n", "\n"))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; cells are text, never markup, and safe on a terminal.

    Long cells are folded on a terminal. Elsewhere each row is one line, for `grep` and `cut`.
    """
    table = [columns, *(tuple(map(display, row)) for row in rows)]
    if sys.stdout.isatty():
        _print_folded(table)
        return
    widths = [max(len(row[index]) for row in table) for index in range(len(columns))]
    gap = " " * COLUMN_GAP
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(gap.join(cells).rstrip() + "\n")


def _print_folded(rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, COLUMN_GAP, 0, 0), header_style="bold")
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows[1:]:
        table.add_row(*(Text(cell) for cell in row))
    Console(highlight=False).print(table)


def examples(*commands: str) -> str:
    """The end of a command's help: lines to copy."""
    # \b: as it is, not filled into one paragraph.
    return "\b\nExamples:\n" + "\n".join(f"  mediahost {command}" for command in commands)


def paragraph(text: str) -> str:
    """Text of several lines from elsewhere, each safe on a terminal."""
    return "\n".join(map(display, text.splitlines()))


def place(media_url: str) -> str:
    """A media file's path as a person would type it here: relative where it is below."""
    if is_remote(media_url):
        return display(media_url)
    path = url_to_path(media_url)
    if not path:
        return ""
    below = os.path.relpath(path)
    return display(path if below.startswith("..") else below)


def made_from(media_url: str, origin: str) -> str:
    """A media file; one that was made from another is named after that one, where it lies."""
    if media_url == origin:
        return place(media_url)
    from mediahost.host.naming import published_name

    stored = Path(url_to_path(media_url)).name
    name = published_name(Path(url_to_path(origin)).stem, stored)
    return f"{display(name)} made from {place(origin)}"


def seconds(ms: float) -> str:
    """A duration for people: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    total = ms / 1000
    if total < 9.95:  # noqa: PLR2004 - below, tenths matter
        return f"{total:.1f} s"
    minutes, rest = divmod(round(total), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def clock(at: float) -> str:
    """A place in a recording: `01:23.4`, with hours where there are any."""
    tenths = round(at * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02}:{tenths // 10:02}.{tenths % 10}"
    return f"{hours}:{text}" if hours else text


def size(count: int | None) -> str:
    """A number of bytes for people, in powers of 1,000."""
    if count is None:
        return "?"
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5 or (unit == "B" and amount < 1000):  # noqa: PLR2004 - see above
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def local_time(moment: datetime | None) -> str:
    """A moment on the clock of the machine."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`, `12,345 files`."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def tally(
    files: int, counts: Mapping[str, int], not_usable: int, took_s: float, saved_ms: float
) -> str:
    """The last line of a run: how many files, and how many steps on them ended in which way."""
    parts = [f"{count:,} {state}" for state, count in counts.items()]
    if not_usable:
        parts.append(f"{not_usable:,} not usable")
    text = f"{counted(files, 'file')}: {', '.join(parts)} in {seconds(took_s * 1000)}"
    return f"{text}; the cache saved {seconds(saved_ms)}" if saved_ms else text


def interrupted() -> None:
    """Say on stderr what a run that was interrupted leaves."""
    sys.stderr.write(
        "mediahost: Interrupted; what was done is kept\n  Run the same again to do the rest.\n"
    )


def paused(pauses: Iterable[Pause]) -> str:
    """What waits until somebody resumes it, and how to do that."""
    named = ("all jobs" if not one.name else f"{one.kind} {one.name}" for one in pauses)
    return f"Paused: {display(', '.join(named))}\nHave them go on with: mediahost jobs resume"
