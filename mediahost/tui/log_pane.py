"""A job's log as it grows: its end, followed; control sequences are stripped."""

import re
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, RichLog, Static

from mediahost.model.paths import display

READ_EVERY_S = 0.5
TAIL = 256 * 1024
MOST_LINES = 5000
_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")


class LogPane(Vertical):
    """The end of one log file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow", show=False, id="log.follow"),
        Binding("w", "wrap", "Wrap", show=False, id="log.wrap"),
        Binding("slash", "search", "Search", show=False, id="log.search"),
        Binding("n", "next", "Next match", show=False, id="log.next"),
    ]
    DEFAULT_CSS = """
    LogPane { height: 1fr; }
    LogPane RichLog { height: 1fr; background: $background; scrollbar-size-vertical: 1; }
    LogPane Input { display: none; background: $panel; border: none; height: 1; }
    LogPane Static { height: 1; color: $text-muted; }
    """

    def __init__(self) -> None:
        super().__init__(id="log")
        self._path: Path | None = None
        self._at = 0
        self._lines: list[str] = []
        self._rest = ""
        self._word = ""
        self._found = -1
        self._begun = True

    def compose(self) -> ComposeResult:
        """The lines, and what is being searched for."""
        yield RichLog(wrap=True, markup=False, highlight=False, max_lines=MOST_LINES)
        yield Input(placeholder="search", compact=True)
        yield Static("", markup=False)

    def on_mount(self) -> None:
        """Read what is added."""
        self.set_interval(READ_EVERY_S, self._read)

    def open(self, path: Path, *, begun: bool = True) -> None:
        """Show another file; whether the attempt that writes it has begun."""
        if path == self._path:
            return
        self._begun = begun
        self._path, self._at, self._lines, self._rest = path, 0, [], ""
        self._found = -1
        self.query_one(RichLog).clear()
        self._read()
        self._tell()

    def _read(self) -> None:
        if self._path is None or not self.is_on_screen:
            return
        try:
            with self._path.open("rb") as file:
                end = file.seek(0, 2)
                if end < self._at:  # begun anew
                    self._at = 0
                start = max(self._at, end - TAIL)
                file.seek(start)
                added = file.read(end - start)
        except OSError:
            self._tell()
            return
        if added:
            self._at = end
            self._add(added.decode("utf-8", "replace"))

    def _add(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        shown = [readable(line) for line in lines]
        log = self.query_one(RichLog)
        for line in shown:
            log.write(Text(line))
        self._lines = (self._lines + shown)[-MOST_LINES:]
        self._tell()

    def _tell(self) -> None:
        log = self.query_one(RichLog)
        if not self._begun:
            said = "No attempt has begun yet."
        elif not self._lines:
            said = "This attempt has written no log."
        else:
            follow = "following" if log.auto_scroll else "at rest"
            said = f"{len(self._lines):,} lines, {follow}    f follow  w wrap  / search  n next"
        self.query_one(Static).update(Text(said))

    def action_follow(self) -> None:
        """Follow the end, or stay."""
        log = self.query_one(RichLog)
        log.auto_scroll = not log.auto_scroll
        if log.auto_scroll:
            log.scroll_end(animate=False)
        self._tell()

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        log = self.query_one(RichLog)
        log.wrap = not log.wrap
        log.clear()
        for line in self._lines:
            log.write(Text(line))

    def action_search(self) -> None:
        """Ask for a word."""
        box = self.query_one(Input)
        box.display = True
        box.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Find it."""
        event.stop()
        self._word = event.value.lower()
        self._found = -1
        event.input.display = False
        self.query_one(RichLog).focus()
        self.action_next()

    def action_next(self) -> None:
        """Go to the next line that has the word."""
        if not self._word:
            return
        order = [*range(self._found + 1, len(self._lines)), *range(self._found + 1)]
        for at in order:
            if self._word in self._lines[at].lower():
                self._found = at
                log = self.query_one(RichLog)
                log.auto_scroll = False
                log.scroll_to(y=at, animate=False)
                self.query_one(Static).update(Text(f"line {at + 1}: {self._lines[at]}"))
                return
        self.query_one(Static).update(Text(f"{self._word!r} is not in this log"))


def readable(line: str) -> str:
    """A line without colours and cursor moves; of a progress bar the last state."""
    line = _CONTROL.sub("", line.rstrip("\r"))
    return display(line.rpartition("\r")[2].expandtabs())
