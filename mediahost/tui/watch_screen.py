"""The screen Watch: each watched folder with its rules, its files and its health."""

import time
from collections.abc import Awaitable, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from mediahost.errors import MediahostError, StoreError
from mediahost.model.changes import Changes
from mediahost.model.paths import display, url_to_path
from mediahost.model.watch import FileState, Watch
from mediahost.tui.config_form import ConfigForm
from mediahost.tui.confirm import Confirm
from mediahost.tui.facts import facts
from mediahost.tui.news import Trouble
from mediahost.tui.patience import opens
from mediahost.tui.session import Session
from mediahost.tui.status_line import StatusLine
from mediahost.tui.top_bar import TopBar
from mediahost.tui.watches import WatchStanding
from mediahost.tui.words import fit
from mediahost.watch.recipes import RESOLVED

READ_EVERY_S = 1.0
# A process that watches may end without a word.
READ_AT_LEAST_EVERY_S = 5.0
GLYPHS = {
    "watching": "●",
    "polling": "●",
    "paused": "‖",
    "degraded": "!",
    "missing": "✖",
    "faulty": "✖",
    "not running": "○",
}
SHOWN = (FileState.FAILED, FileState.SETTLING, FileState.QUEUED, FileState.READY)
HINTS = (
    ("watch.add", "add"),
    ("watch.edit", "edit"),
    ("watch.pause", "pause"),
    ("watch.dry_run", "dry run"),
    ("watch.scan", "scan now"),
    ("help", "help"),
)


class WatchScreen(Screen[None]):
    """Watched folders."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add a watch", show=False, id="watch.add"),
        Binding("e", "edit", "Edit the rules", show=False, id="watch.edit"),
        Binding("p", "pause", "Pause or resume", show=False, id="watch.pause"),
        Binding("s", "scan", "Look at everything now", show=False, id="watch.scan"),
        Binding("t", "dry_run", "Say what it would do", show=False, id="watch.dry_run"),
        Binding("d", "delete", "Forget the watch", show=False, id="watch.delete"),
    ]
    AUTO_FOCUS = "#watches"
    DEFAULT_CSS = """
    WatchScreen #watches { width: 34; height: 1fr; border: none; background: $surface;
        padding: 0 1; scrollbar-size-vertical: 1; }
    WatchScreen #watches:focus { border: none; }
    WatchScreen #about { height: 1fr; padding: 0 2; }
    WatchScreen #about Static { height: auto; margin-bottom: 1; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._watches: Sequence[WatchStanding] = ()
        self._read_at = 0.0
        self._is_old = False

    def compose(self) -> ComposeResult:
        """The list and the place for what is chosen."""
        yield TopBar("watch")
        with Horizontal():
            yield OptionList(id="watches")
            with VerticalScroll(id="about"):
                yield Static("", id="standing", markup=False)
                yield Static("", id="preview", markup=False)
        yield StatusLine(HINTS)

    def on_mount(self) -> None:
        """Read now and then."""
        self.set_interval(READ_EVERY_S, self._read_if_seen)

    def on_screen_resume(self) -> None:
        """Read at once: what is shown may be from long ago."""
        self._read()

    async def store_changed(self, _changes: Changes) -> None:
        """Something was written."""
        self._is_old = True

    def _read_if_seen(self) -> None:
        now = time.monotonic()
        if self.is_current and (self._is_old or now > self._read_at + READ_AT_LEAST_EVERY_S):
            self._read()

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        self._read_at, self._is_old = time.monotonic(), False
        try:
            watches = await self._session.watches()
        except StoreError as error:
            self.app.post_message(Trouble(error))
            return
        if watches != self._watches or not watches:
            self._watches = watches
            self._tell()

    def _tell(self) -> None:
        listed = self.query_one("#watches", OptionList)
        at = listed.highlighted
        listed.clear_options()
        listed.add_options([Option(_title(one), id=one.row.name) for one in self._watches])
        if self._watches:
            listed.highlighted = min(at or 0, len(self._watches) - 1)
            running = sum(one.is_running for one in self._watches)
            number = len(self._watches)
            folders = "1 folder" if number == 1 else f"{number} folders"
            said = f"{folders}, {running} watched now"
        else:
            self.query_one("#standing", Static).update(_first_steps())
            self.query_one("#preview", Static).update("")
            said = "nothing is watched"
        self.query_one(StatusLine).tell(said)
        self._tell_one()

    @property
    def _current(self) -> WatchStanding | None:
        at = self.query_one("#watches", OptionList).highlighted
        return self._watches[at] if at is not None and at < len(self._watches) else None

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show another."""
        event.stop()
        self.query_one("#preview", Static).update("")
        self._tell_one()

    def _tell_one(self) -> None:
        one = self._current
        if one is not None:
            self.query_one("#standing", Static).update(about(one))

    # --- steering ------------------------------------------------------------------------------

    @opens
    async def action_add(self) -> None:
        """Watch another folder."""
        await self._keep(await self.app.push_screen_wait(WatchForm(None)))

    @opens
    async def action_edit(self) -> None:
        """Change the rules."""
        one = self._current
        if one is None:
            return
        if one.row.origin == "settings":
            self.notify("This watch is of the settings file: edit it there", severity="warning")
            return
        await self._keep(await self.app.push_screen_wait(WatchForm(one)))

    async def _keep(self, rule: Watch | None) -> None:
        if rule is None:
            return
        if await self._done(self._session.keep_watch(rule)):
            self.notify(f"{rule.name} is kept. Watch it with: mediahost watch", markup=False)

    async def _done(self, change: Awaitable[object]) -> bool:
        """Whether a change could be made; if not, why is said."""
        try:
            await change
        except MediahostError as error:
            self.notify(f"{error.message}. {error.hint or ''}", severity="error", markup=False)
            return False
        self._read()
        return True

    @work
    async def action_pause(self) -> None:
        """Pause it, or resume."""
        if (one := self._current) is not None:
            change = self._session.change_watch(one.row.name, paused=not one.row.paused)
            await self._done(change)

    @work
    async def action_scan(self) -> None:
        """Ask whoever watches it to look at everything now."""
        one = self._current
        if one and await self._done(self._session.change_watch(one.row.name, scan_asked=True)):
            self.notify("Asked to look at everything")

    @opens
    async def action_delete(self) -> None:
        """Forget the watch; files and results stay."""
        one = self._current
        if one is None:
            return
        question = Confirm(f"Forget the watch {one.row.name}?", "Files and results stay.", "Forget")
        if await self.app.push_screen_wait(question) is True:
            await self._done(self._session.delete_watch(one.row.name))

    @work(exclusive=True, group="preview")
    async def action_dry_run(self) -> None:
        """Say what it would do with each file, and change nothing."""
        one = self._current
        if one is None:
            return
        told = self.query_one("#preview", Static)
        told.update("Looking…")
        try:
            previews = await self._session.watch_previews(one.row)
        except (MediahostError, OSError, ValueError) as error:
            told.update(Text(str(error)))
            return
        files = "1 file" if len(previews) == 1 else f"{len(previews):,} files"
        lines = [Text(f"A dry run: {files}", style="bold")]
        top = f"{url_to_path(one.row.path)}/"
        for each in previews:
            does = f"would run {', '.join(each.to_do)}" if each.to_do else "nothing to do"
            cached = f", cached {', '.join(each.cached)}" if each.cached else ""
            lines.append(Text(display(each.path.removeprefix(top))))
            lines.append(Text(f"    {does}{cached}", style="dim"))
            if each.reason:
                lines.append(Text(f"    {display(each.reason)}", style="dim"))
        told.update(Text("\n").join(lines))


class WatchForm(ModalScreen[Watch | None]):
    """The rules of a watch."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "keep", "Keep", show=False, id="watch.keep", priority=True),
        Binding("escape", "leave", "Back", show=False, id="watch.leave"),
    ]
    AUTO_FOCUS = "Input"
    DEFAULT_CSS = """
    WatchForm { align: center middle; }
    WatchForm VerticalScroll { width: 84; max-width: 96%; height: 90%; padding: 1 2;
        background: $surface; border: round $border; }
    """

    def __init__(self, one: WatchStanding | None) -> None:
        super().__init__()
        self._given: dict[str, Any] = {}
        if one is not None:
            self._given = {**one.row.rule, "path": url_to_path(one.row.path)}
            self._given.pop(RESOLVED, None)

    def compose(self) -> ComposeResult:
        """The form."""
        with VerticalScroll(can_focus=False):
            yield Static(Text("ctrl+s keeps it, esc leaves it as it was\n", style="bold"))
            yield ConfigForm(Watch, self._given)

    def action_keep(self) -> None:
        """Keep the rules if they fit."""
        config = self.query_one(ConfigForm).check()
        if config is None:
            self.notify("The rules don't fit yet", severity="warning")
            return
        self.dismiss(Watch.model_validate(config))

    def action_leave(self) -> None:
        """Keep nothing."""
        self.dismiss(None)


def _title(one: WatchStanding) -> Text:
    failed = one.counts.get(FileState.FAILED, 0)
    title = f"{GLYPHS.get(one.state, '·')} {fit(display(one.row.name), 16)} {one.state}"
    return Text(title + (f" ✖{failed}" if failed else ""))


def about(one: WatchStanding) -> Text:
    """A watch with its counts, what is wrong, its files and its rules."""
    health = one.row.health
    counts = "  ".join(f"{number:,} {state}" for state, number in one.counts.items() if number)
    parts = [
        Text(display(url_to_path(one.row.path)), style="bold"),
        Text(f"{one.state}  {health.get('reason', '')}".strip()),
        Text(counts or "no file seen yet"),
    ]
    for state in SHOWN:
        for file in one.files.get(state, ()):
            place = f"{file.folder}/{file.name}" if file.folder else file.name
            parts.append(Text(f"  {state}: {display(place)}"))
            parts += [Text(f"    {display(line)}") for line in file.reason.splitlines()]
    parts += [Text(f"  ✖ {display(problem)}") for problem in health.get("problems", ())]
    named = ("file_system", "folders", "folders_watched", "overflows", "limit_hits", "missed")
    rules = {k: v for k, v in one.row.rule.items() if k not in ("path", "name", RESOLVED)}
    known = {name: health[name] for name in named if health.get(name)}
    parts += [Text(), facts({"health": known, "rules": rules})]
    return Text("\n").join(parts)


def _first_steps() -> Text:
    return Text(
        "No folder is watched.\n\n"
        "a adds one with its rules.\n\n"
        "mediahost watch ~/inbox\n"
        "watches one at once, by what suits each kind of file.\n"
    )
