"""The screen Submit: files, an action or a pipeline, its config; what would run, what is cached."""

import asyncio
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import ClassVar

from pydantic import ValidationError
from rich.style import Style
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import DirectoryTree, Input, Select, Static
from textual.widgets.directory_tree import DirEntry
from textual.widgets.tree import TreeNode

from mediahost.errors import MediahostError
from mediahost.host.run import RowState, Summary
from mediahost.host.typed import on_disk
from mediahost.model.kinds import kind_of
from mediahost.model.paths import display, expanded, is_remote, url_to_path
from mediahost.model.pipeline import Pipeline, Step
from mediahost.tui.config_form import ConfigForm
from mediahost.tui.plugins_screen import usable
from mediahost.tui.session import Session
from mediahost.tui.status_line import StatusLine
from mediahost.tui.submit_request import SubmitRequest
from mediahost.tui.words import fit, fit_end

PREVIEW_AFTER_S = 0.4
MOST_ROWS = 100
PIPELINE = "pipeline "
SIGNS = {
    RowState.TO_DO: ("▷", "would run"),
    RowState.CACHED: ("✔", "cached"),
    RowState.BLOCKED: ("·", "later"),
}
STEP_MOST = 22
HINTS = (
    ("ctrl+s", "submit"),
    ("tab", "next"),
    ("space", "choose a file or folder"),
    ("esc", "back"),
)


class MediaTree(DirectoryTree):
    """Folders and media files; hidden ones are left out, as in a run."""

    # Emoji are of any width, and have no colour of their own.
    ICON_NODE = "▸ "
    ICON_NODE_EXPANDED = "▾ "
    ICON_FILE = "  "
    _chosen: frozenset[Path] = frozenset()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "choose", "Choose", show=False, id="submit.choose"),
    ]

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        """What may be chosen."""
        return [
            path
            for path in paths
            if not path.name.startswith(".") and (path.is_dir() or kind_of(path.name))
        ]

    def choose(self, paths: Collection[Path]) -> None:
        """Mark these as chosen."""
        self._chosen = frozenset(path.absolute() for path in paths)
        self._invalidate()

    def render_label(self, node: TreeNode[DirEntry], base_style: Style, style: Style) -> Text:
        """The name, with a mark if it is chosen."""
        label = super().render_label(node, base_style, style)
        if node.data is not None and node.data.path.absolute() in self._chosen:
            label.append(" ✓", style)
        return label

    def action_choose(self) -> None:
        """Choose what the cursor is on, or leave it out again."""
        node = self.cursor_node
        if node is not None and node.data is not None:
            self.post_message(self.FileSelected(node, node.data.path))


class SubmitScreen(Screen[str | None]):
    """Choose, look at what would happen, submit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "Submit", show=False, id="submit.submit", priority=True),
        Binding("escape,q", "leave", "Back", show=False, id="submit.leave"),
    ]
    AUTO_FOCUS = "MediaTree"
    DEFAULT_CSS = """
    SubmitScreen #title { height: 1; background: $panel; padding: 0 1; text-style: bold; }
    SubmitScreen #files { width: 40%; height: 1fr; }
    SubmitScreen MediaTree { height: 1fr; background: $surface; }
    SubmitScreen #place { height: 1; border: none; background: $panel; padding: 0 1; }
    SubmitScreen #chosen { height: auto; max-height: 6; padding: 0 1; color: $accent; }
    SubmitScreen #what { height: 1; margin: 0 0 1 0; }
    SubmitScreen #right { width: 60%; padding: 0 1; height: 1fr; }
    SubmitScreen #form { height: 1fr; scrollbar-size-vertical: 1; }
    SubmitScreen #preview { height: 40%; border-top: solid $border;
        scrollbar-size-vertical: 1; }
    SubmitScreen #preview:focus { border-top: heavy $primary; }
    """

    def __init__(self, session: Session, asked: SubmitRequest) -> None:
        super().__init__()
        self._session = session
        self._asked = asked
        self._paths: list[Path] = list(asked.paths)
        self._formed = ""
        self._looked: Summary | None = None

    def compose(self) -> ComposeResult:
        """Files at the left; what to do, its config and the preview at the right."""
        top = self._paths[0].absolute().parent if self._paths else Path.cwd()
        yield Static("mediahost  New jobs", id="title")
        with Horizontal():
            with Vertical(id="files"):
                yield Input(str(top), placeholder="folder", id="place", compact=True)
                yield MediaTree(top if top.is_dir() else Path.cwd())
                yield Static("", id="chosen", markup=False)
            with Vertical(id="right"):
                yield Select(
                    self._choices(),
                    prompt="action or pipeline",
                    value=self._asked.action or Select.NULL,
                    id="what",
                    compact=True,
                )
                yield VerticalScroll(id="form", can_focus=False)
                with VerticalScroll(id="preview"):
                    yield Static("", id="told", markup=False)
        yield StatusLine(HINTS)

    def _choices(self) -> list[tuple[str, str]]:
        actions = [action.info.name for action in self._session.registry.actions()]
        pipelines = list(self._session.settings.all_pipelines)
        return [
            *((f"pipeline: {name}", PIPELINE + name) for name in pipelines),
            *((name, name) for name in actions),
        ]

    async def on_mount(self) -> None:
        """Show what is chosen already."""
        self._tell_paths()
        self._preview()

    @property
    def _what(self) -> str:
        value = self.query_one("#what", Select).value
        return value if isinstance(value, str) else ""

    async def on_select_changed(self, event: Select.Changed) -> None:
        """Another action: its form."""
        if event.select.id != "what":
            return
        event.stop()
        if self._what == self._formed:
            return
        self._formed = self._what
        place = self.query_one("#form", VerticalScroll)
        await place.remove_children()
        action = usable(self._session.registry, self._what) if self._what else None
        if action is not None:
            config = self._asked.config if self._asked.action == self._what else {}
            await place.mount(ConfigForm(action, config))
        elif self._what.startswith(PIPELINE) and (pipeline := self._pipeline()) is not None:
            await place.mount(Static(recipe(pipeline)))
        self._preview()

    def on_config_form_changed(self, event: ConfigForm.Changed) -> None:
        """Another config."""
        event.stop()
        self._preview()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Another folder to look into, or a file to choose."""
        if event.input.id != "place":
            return
        event.stop()
        path = expanded(on_disk(event.value))
        if path.is_dir():
            tree = self.query_one(MediaTree)
            tree.path = path
            tree.focus()
        elif path.exists():
            self._toggle(path)
        else:
            self.notify(f"There is no {display(path)}", severity="warning", markup=False)

    def on_directory_tree_file_selected(self, event: DirectoryTree.FileSelected) -> None:
        """Choose a file or folder, or leave it out again."""
        event.stop()
        self._toggle(event.path)

    def _toggle(self, path: Path) -> None:
        if path in self._paths:
            self._paths.remove(path)
        else:
            self._paths.append(path)
        self._tell_paths()
        self._preview()

    def _tell_paths(self) -> None:
        self.query_one(MediaTree).choose(self._paths)
        width = max(10, self.size.width * 4 // 10 - 4)
        lines = [fit_end(display(path), width).rstrip() for path in self._paths[-5:]]
        if len(self._paths) > len(lines):
            lines.insert(0, f"{len(self._paths)} chosen, the last of them:")
        self.query_one("#chosen", Static).update(Text("\n".join(lines) or "Nothing is chosen yet."))

    def _pipeline(self) -> Pipeline | None:
        """What is to be run, if it is clear; whether it is a pipeline of the settings."""
        if self._what.startswith(PIPELINE):
            return self._session.settings.pipeline(self._what.removeprefix(PIPELINE))
        form = self._form
        config = None if form is None else form.config
        if not self._what or config is None:
            return None
        try:
            return Pipeline(name="submit", steps=(Step(action=self._what, config=config),))
        except ValidationError:
            return None

    @property
    def _form(self) -> ConfigForm | None:
        return next((form for form in self.query(ConfigForm) if form.is_ready), None)

    def _missing(self) -> str:
        if not self._paths or not self._what:
            return "Choose files, and what to do with them."
        empty = [] if self._form is None else self._form.missing
        return f"Required: {', '.join(empty)}" if empty else "The config doesn't fit yet."

    @property
    def _room(self) -> int:
        """How wide a line of the preview is."""
        return max(20, self.size.width * 6 // 10 - 4)

    def on_resize(self) -> None:
        """Names are cut elsewhere."""
        self._tell_paths()
        if self._looked is not None:
            self.query_one("#told", Static).update(previewed(self._looked, self._room))

    @work(exclusive=True, group="preview")
    async def _preview(self) -> None:
        """Say what would run and what is cached."""
        await asyncio.sleep(PREVIEW_AFTER_S)
        if not self.is_current:  # left meanwhile
            return
        told = self.query_one("#told", Static)
        self._looked = None
        pipeline = self._pipeline()
        if pipeline is None or not self._paths:
            told.update(Text(self._missing()))
            return
        told.update(Text("Looking…"))
        named = self._what.startswith(PIPELINE)
        try:
            summary = await self._session.preview(self._paths, pipeline, named=named)
        except (MediahostError, OSError) as error:
            told.update(Text(str(error)))
            return
        self._looked = summary
        told.update(previewed(summary, self._room))

    @work(group="submit", exclusive=True)
    async def action_submit(self) -> None:
        """Submit what the preview shows."""
        pipeline = self._pipeline()
        if pipeline is None or not self._paths:
            self.notify(self._missing(), severity="warning", markup=False)
            if self._paths and self._form is not None:
                self._form.check()
            return
        named = self._what.startswith(PIPELINE)
        try:
            submitted = await self._session.submit(self._paths, pipeline, named=named)
        except (MediahostError, OSError) as error:
            self.notify(str(error), severity="error", markup=False)
            return
        jobs = len(submitted.jobs)
        said = f"{jobs:,} job{'' if jobs == 1 else 's'} submitted, {submitted.cached:,} cached"
        self.dismiss(said)

    def action_leave(self) -> None:
        """Submit nothing."""
        self.dismiss(None)


def recipe(pipeline: Pipeline) -> Text:
    """What a pipeline is for, and its steps."""
    lines = [Text(display(pipeline.description), style="bold")] if pipeline.description else []
    lines += [Text(f"  {display(step.in_words)}") for step in pipeline.steps]
    return Text("\n").join(lines)


def previewed(summary: Summary, width: int) -> Text:
    """What a run would do, as text: what is to be done comes first."""
    to_do, cached = summary.count(RowState.TO_DO), summary.count(RowState.CACHED)
    lines = [Text(f"{to_do:,} would run, {cached:,} cached", style="bold")]
    if later := summary.count(RowState.BLOCKED):
        lines.append(Text(f"{later:,} later, after the steps that they follow"))
    if not (to_do or cached or later or summary.problems):
        lines = [Text("There is nothing in what is chosen that this works on.")]
    lines += [Text(f"✖ {display(problem.message)}") for problem in summary.problems[:MOST_ROWS]]
    order = {state: at for at, state in enumerate(SIGNS)}
    rows = sorted(summary.rows, key=lambda row: order.get(row.state, -1))
    shown = rows[:MOST_ROWS]
    step_width = min(STEP_MOST, max((len(row.step) for row in shown), default=0))
    for row in shown:
        glyph, does = SIGNS.get(row.state, ("-", str(row.state)))
        head = f"{glyph} {fit(does, 9)}  {fit(display(row.step), step_width)}  "
        name = fit_end(_near(row.media_url), max(10, width - len(head))).rstrip()
        lines.append(Text(head + name))
    if len(rows) > MOST_ROWS:
        lines.append(Text(f"... and {len(rows) - MOST_ROWS:,} more"))
    return Text("\n").join(lines)


def _near(media_url: str) -> str:
    """A file's path from where the program was started, if it is below."""
    if is_remote(media_url):
        return display(media_url)
    path = url_to_path(media_url)
    below = os.path.relpath(path)
    return display(path if below.startswith("..") else below)
