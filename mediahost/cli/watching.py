"""What one sees while `mediahost watch` runs."""

import json
import os
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from mediahost.cli.output import counted, paragraph, place, print_json
from mediahost.errors import MediahostError
from mediahost.model.kinds import MediaKind
from mediahost.model.paths import display, url_to_path
from mediahost.model.watch import FileState, WatchState
from mediahost.watch.preview import Preview, previews
from mediahost.watch.recipes import recipe_of, rule_of
from mediahost.watch.watcher import Watcher

if TYPE_CHECKING:
    from mediahost.host.host import Host
    from mediahost.host.planner import Recipe
    from mediahost.ports import WatchRow, WatchStore
    from mediahost.watch.news import News

GLYPHS = {
    FileState.DONE: "✔",
    FileState.FAILED: "✖",
    FileState.OWN: "·",
    FileState.GONE: "–",  # noqa: RUF001 - a dash on purpose
}

# What a watch can't get by without help.
TROUBLES = (WatchState.MISSING, WatchState.FAULTY, WatchState.RESTING)


class Printer:
    """Prints news as it comes, from several threads, and counts what failed."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._lock = threading.Lock()
        self.done = 0
        self.failed = 0
        self.is_troubled = False

    def tell(self, news: "News") -> None:
        """Print one line, if it is worth one."""
        self.done += news.state is FileState.DONE
        self.failed += news.state is FileState.FAILED
        self.is_troubled |= news.state in TROUBLES
        line = json.dumps(news.to_json()) if self._as_json else _line(news)
        if line:
            with self._lock:
                sys.stdout.write(line + "\n")
                sys.stdout.flush()


def _line(news: "News") -> str:
    about = f": {display(news.reason.partition(chr(10))[0])}" if news.reason else ""
    if isinstance(news.state, FileState):
        glyph = GLYPHS.get(news.state)
        return f"{glyph} {news.state:<6} {place(news.path)}{about}" if glyph else ""
    if news.state in (WatchState.STARTING, WatchState.STOPPED):
        return ""
    return f"{display(news.watch)} is {news.state}{about}"


def watch_all(
    host: "Host",
    store: "WatchStore",
    rows: "Sequence[WatchRow]",
    *,
    only: Sequence[str] | None,
    once: bool,
    as_json: bool,
) -> bool:
    """Watch until interrupted, or until all is done; whether anything failed or could not be."""
    printer = Printer(as_json=as_json)
    if not as_json:
        _say_what(host, rows, once=once)
    names = [row.name for row in rows] if once or only is not None else None
    watcher = Watcher(host, store, printer.tell, names)
    try:
        watcher.start()
        host.work(watcher.listen, until=lambda: once and watcher.is_idle)
    except KeyboardInterrupt:
        if not as_json:
            sys.stderr.write("\nmediahost: Stopped; what is left is done by the next start\n")
        raise
    finally:
        watcher.stop()
    if once and not as_json:
        typer.echo(f"{printer.done:,} done, {printer.failed:,} failed")
    return printer.is_troubled or bool(printer.failed)


def _say_what(host: "Host", rows: "Sequence[WatchRow]", *, once: bool) -> None:
    """What will happen, before anything does."""
    for row in rows:
        typer.echo(f"{display(row.name)}: {display(url_to_path(row.path))}")
        try:
            rule, recipe = rule_of(row), recipe_of(host, row)
        except (MediahostError, ValueError):  # said as it is started
            continue
        for line in _what(recipe):
            typer.echo(f"  {line}")
        if rule.output:
            typer.echo(f"  outputs go to {display(os.path.normpath(rule.output))}")
    if not once:
        typer.echo(
            "Each file is processed once it is whole. What came of it: mediahost results FILE\n"
            "How things stand: mediahost watch status. Stop with Ctrl-C; nothing is lost."
        )
    sys.stdout.flush()


def _what(recipe: "Recipe") -> list[str]:
    """`audio, video: av.probe, speech.vad`, a line for kinds that get the same."""
    lines: dict[str, list[str]] = {}
    for kind in MediaKind:
        steps = [
            step.name
            for step in recipe.steps
            if step.media is not None or kind in recipe.accepts(step)
        ]
        if recipe.accepts_kind(kind):
            lines.setdefault(", ".join(steps), []).append(str(kind))
    return [f"{', '.join(kinds)}: {steps}" for steps, kinds in lines.items()]


def preview(
    host: "Host", store: "WatchStore", rows: "Sequence[WatchRow]", *, as_json: bool
) -> None:
    """Say what would be done with each file."""
    found: list[Preview] = []
    for row in rows:
        try:
            found += previews(host, store, row)
        except MediahostError as error:
            sys.stderr.write(f"mediahost: {display(row.name)}: {error.message}\n")
    if as_json:
        print_json([one.to_json() for one in found])
        return
    for one in found:
        typer.echo(_preview_line(one))
    to_do = sum(bool(one.to_do) for one in found)
    typer.echo(f"{counted(len(found), 'file')}, {to_do:,} with something to do")


def _preview_line(one: Preview) -> str:
    what = ", ".join(one.to_do)
    reason = f" ({paragraph(one.reason)})" if one.reason else ""
    name = display(os.path.relpath(one.path))
    if one.state is FileState.FAILED and not what:
        return f"✖ {name}: failed{reason}"
    return f"▷ {name}: {what}{reason}" if what else f"- {name}: nothing to do{reason}"
