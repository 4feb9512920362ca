"""Parts that views are made of, for plugins as for the host's own."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from mediahost.model.kinds import MediaKind, kind_of
from mediahost.model.paths import display
from mediahost.model.result import MediaProcessingResult, Transcription
from mediahost.ports import StoredResult
from mediahost.tui.facts import facts, plain
from mediahost.tui.lanes import duration_of, lanes_of, plot
from mediahost.tui.picture import Picture
from mediahost.tui.time_axis import TimeAxis
from mediahost.tui.views import Shown
from mediahost.tui.words import clock, size

MOST_PICTURES = 12
MOST_FILES = 200
LINE_S = 8.0
LINE_LETTERS = 90


class Parts(Vertical):
    """Parts one below the other."""

    DEFAULT_CSS = "Parts { height: auto; }"

    def __init__(self, *parts: Widget | None) -> None:
        super().__init__(*(part for part in parts if part is not None))

    def on_time_axis_moved(self, message: TimeAxis.Moved) -> None:
        """The transcript follows the axis."""
        message.stop()
        for transcript in self.query(Transcript):
            transcript.follow(message.seconds)

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        """The axis follows the transcript."""
        if isinstance(message.option_list, Transcript) and message.option_list.has_focus:
            message.stop()
            for axis in self.query(TimeAxis):
                axis.go(message.option_list.starts[message.option_index])


class Facts(Static):
    """Names and values; nested ones are indented."""

    DEFAULT_CSS = "Facts { height: auto; margin-bottom: 1; }"

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(facts(values), markup=False)


class FactTable(Static):
    """Several things of one kind side by side: a column each, a line for each fact."""

    DEFAULT_CSS = "FactTable { height: auto; margin-bottom: 1; }"

    def __init__(self, things: Sequence[Mapping[str, Any]], title: str) -> None:
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 3, 0, 0))
        names = [
            name
            for name in dict.fromkeys(name for thing in things for name in thing)
            if any(thing.get(name) not in (None, "", [], {}) for thing in things)
            and not any(isinstance(thing.get(name), Mapping) for thing in things)
        ]
        table.add_column(style="bold")
        for number, _ in enumerate(things):
            table.add_column(f"{title} {number}")
        for name in names:
            values = (thing.get(name) for thing in things)
            cells = (Text("" if value is None else plain(value)) for value in values)
            table.add_row(Text(display(name.replace("_", " "))), *cells)
        super().__init__(table)


class Plot(Static):
    """A series of values over time, with what is lowest and highest."""

    DEFAULT_CSS = "Plot { height: auto; margin-bottom: 1; color: $primary; }"

    def __init__(
        self, title: str, values: Sequence[float | None], unit: str, *, height: int = 4
    ) -> None:
        super().__init__("", markup=False)
        self._title = title
        self._values = values
        self._unit = unit
        self._lines = height

    def on_resize(self) -> None:
        """Draw as wide as there is room."""
        known = [value for value in self._values if value is not None]
        span = f"{plain(min(known))} to {plain(max(known))} {self._unit}" if known else "nothing"
        lines = plot(self._values, self.size.width, self._lines)
        self.update(Text("\n".join([f"{self._title}  {span}", *lines])))


class Transcript(OptionList):
    """What was said, line by line; a line jumps to its moment."""

    DEFAULT_CSS = """
    Transcript { height: auto; max-height: 20; border: none; padding: 0; background: $background; }
    Transcript:focus { border: none; }
    """

    def __init__(self, said: Transcription) -> None:
        lines = list(transcript_lines(said))
        self.starts = [start for start, _ in lines]
        options = [
            Option(Text.assemble((f"{clock(start)}  ", "dim"), display(text)))
            for start, text in lines
        ]
        super().__init__(*options)

    def follow(self, seconds: float) -> None:
        """Put the cursor on what is said at a moment."""
        before = [index for index, start in enumerate(self.starts) if start <= seconds]
        if before:
            self.highlighted = before[-1]


def transcript_lines(said: Transcription) -> Iterator[tuple[float, str]]:
    """Lines of a transcript with their starts: a sentence, or some seconds, each."""
    if not said.words:
        yield from ((0.0, text) for text in said.text.splitlines())
        return
    line: list[str] = []
    start = said.words[0].start
    for word in said.words:
        too_long = word.end - start > LINE_S or len("".join(line)) > LINE_LETTERS
        if line and (too_long or line[-1].rstrip().endswith((".", "?", "!"))):
            yield start, "".join(line).strip()
            line, start = [], word.start
        line.append(word.text if word.text.startswith(" ") else f" {word.text}")
    yield start, "".join(line).strip()


class Pages(Static):
    """Text by pages."""

    DEFAULT_CSS = "Pages { height: auto; }"

    def __init__(self, pages: Sequence[Mapping[str, Any]]) -> None:
        text = Text()
        for page in pages:
            text.append(f"— {page.get('page', '?')} —\n", style="bold")
            lines = str(page.get("text") or "").splitlines() or ["(no text)"]
            text.append("\n".join(map(display, lines)) + "\n\n")
        super().__init__(text, markup=False)


class Files(Static):
    """The files that an action made."""

    DEFAULT_CSS = "Files { height: auto; margin-bottom: 1; }"

    def __init__(self, result: MediaProcessingResult) -> None:
        lines = []
        for artifact in result.artifacts[:MOST_FILES]:
            kind = f"{artifact.asset_type}, {artifact.mime_type or '?'}, {size(artifact.size)}"
            lines.append(Text.assemble((display(artifact.path), "bold"), f"  {kind}"))
        super().__init__(Text("\n").join(lines), markup=False)


def axis_of(shown: Shown) -> TimeAxis | None:
    """One axis for the ranges of this result and of all others of the same recording."""
    results = [shown.stored, *(o for o in shown.others if o.hit.key != shown.stored.hit.key)]
    lanes = lanes_of(results)
    if not lanes:
        return None
    return TimeAxis(lanes, duration_of(results))


def pictures_of(shown: Shown) -> list[Widget]:
    """The pictures among the files that an action made."""
    result = shown.stored.result
    if not shown.pictures or not isinstance(result, MediaProcessingResult):
        return []
    paths = [artifact.path for artifact in result.artifacts if is_picture(artifact.path)]
    return [Picture(path) for path in paths[:MOST_PICTURES]]


def is_picture(path: Path) -> bool:
    """Whether the name promises a picture."""
    return kind_of(path) is MediaKind.IMAGE


def transcript_of(stored: StoredResult) -> Transcript | None:
    """What was said, if anything was."""
    said = getattr(stored.result, "transcription", None)
    return Transcript(said) if isinstance(said, Transcription) else None


class PlainView(Parts):
    """The view of a result that no plugin has a better one for: all of it, part by part."""

    def __init__(self, shown: Shown) -> None:
        result = shown.stored.result
        files = Files(result) if isinstance(result, MediaProcessingResult) else None
        analysis = getattr(result, "analysis", None)
        summary = None if analysis is None else Facts(analysis.model_dump(mode="json"))
        nothing = None
        parts = [axis_of(shown), transcript_of(shown.stored), summary, *pictures_of(shown), files]
        if result.metadata:
            parts.append(Facts(result.metadata))
        if not any(part is not None for part in parts):
            nothing = Static("Nothing was found.")
        super().__init__(*parts, nothing)
