"""The line where the filter is written, with what is wrong with it below."""

from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from mediahost.model.job_filter import InvalidFilter, JobFilter
from mediahost.tui.words import fit

DEBOUNCE_S = 0.15
EXAMPLE = '/ filter: state:failed plugin:av age<2d err:"no audio" words'


class FilterLine(Vertical):
    """One line of input; it tells the filter as soon as it makes sense."""

    DEFAULT_CSS = """
    FilterLine { height: auto; background: $surface; }
    FilterLine Horizontal { height: 1; padding: 0 0 0 1; }
    FilterLine Input { width: 1fr; background: $surface; border: none; height: 1; padding: 0 1; }
    FilterLine Input:focus { background: $panel; border: none; }
    FilterLine #count { width: auto; padding: 0 1; color: $text-muted; }
    FilterLine #fault { height: 2; color: $error; display: none; }
    """

    @dataclass
    class Changed(Message):
        """Another filter is meant."""

        wanted: JobFilter

    class Left(Message):
        """The person is done writing."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted = JobFilter()
        self._timer: Timer | None = None
        self._counted = ""

    def compose(self) -> ComposeResult:
        """The input, the count, the fault."""
        with Horizontal():
            yield Input(placeholder=EXAMPLE, compact=True, id="filter", select_on_focus=False)
            yield Static("", id="count", markup=False)
        yield Static("", id="fault", markup=False)

    @property
    def text(self) -> str:
        """What is written."""
        return self.query_one("#filter", Input).value

    def write(self, text: str) -> None:
        """Write another filter."""
        self.query_one("#filter", Input).value = text
        self._apply()

    def edit(self) -> None:
        """Let the person write, from the very next key on: `focus` itself would wait its turn."""
        self.screen.set_focus(self.query_one("#filter", Input))

    def count(self, text: str) -> None:
        """Say how many jobs match."""
        if text != self._counted:  # its width is laid out anew each time
            self._counted = text
            self.query_one("#count", Static).update(Text(text))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Wait for a pause in the writing."""
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE_S, self._apply)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Done."""
        event.stop()
        self._apply()
        self.post_message(self.Left())

    def on_key(self, event: events.Key) -> None:
        """Escape clears what is written, and leaves when there is nothing."""
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            if self.text:
                self.write("")
            self.post_message(self.Left())
        elif event.key == "down":
            event.stop()
            self.post_message(self.Left())

    def _apply(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        fault = self.query_one("#fault", Static)
        try:
            wanted = JobFilter.parse(self.text)
        except InvalidFilter as error:
            caret = " " * (error.start + 1) + "^" * max(1, error.end - error.start)
            hint = f"  {error.hint}" if error.hint else ""
            width = max(20, self.size.width - 2)
            fault.update(Text(f"{fit(caret, width)}\n{fit(error.message + hint, width)}"))
            fault.display = True
            return
        fault.display = False
        if wanted != self.wanted:
            self.wanted = wanted
            self.post_message(self.Changed(wanted))
