"""The application: its screens, its keys, and how it learns that something has changed."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import events, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.filter import LineFilter, Monochrome, NoColor
from textual.geometry import Size
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widget import Widget

from mediahost.errors import StoreError
from mediahost.model.changes import Changes, Mark
from mediahost.model.hosts import HostView
from mediahost.model.job import JobStatus
from mediahost.model.pause import Pause
from mediahost.tui.crash_report import write_report
from mediahost.tui.drawers import Drawer
from mediahost.tui.help import HelpScreen
from mediahost.tui.hosts import is_heard, start_host
from mediahost.tui.hosts_screen import HostsScreen
from mediahost.tui.jobs_screen import JobsScreen
from mediahost.tui.keys import deeds, keys_by_deed
from mediahost.tui.moves import MOVES
from mediahost.tui.news import StartHost, Trouble
from mediahost.tui.parts import PlainView
from mediahost.tui.patience import PatientApp
from mediahost.tui.plain_text import PlainText
from mediahost.tui.plugins_screen import PluginsScreen
from mediahost.tui.seldom import Seldom
from mediahost.tui.session import Session
from mediahost.tui.shelter import shelter_around, shelter_of
from mediahost.tui.stats_screen import StatsScreen
from mediahost.tui.submit_request import SubmitRequest
from mediahost.tui.submit_screen import SubmitScreen
from mediahost.tui.theme import DARK, LIGHT, THEMES
from mediahost.tui.too_small import TooSmall, is_too_small
from mediahost.tui.top_bar import NoHost, TopBar
from mediahost.tui.views import Views
from mediahost.tui.watch_screen import WatchScreen

# Repainting more often than this shows nothing more to an eye.
AT_MOST_EVERY_S = 0.1
BLURRED_EVERY_S = 0.5
# Where changes come without end, a little less often is as live, and costs a third less.
STREAM_REST_S = 0.05
WAIT_S = 1.0
# It stretches over the screen: whatever else changes would be painted with all beside it.
BAR_AT_MOST_EVERY_S = 1.0
HOSTS_EVERY_S = 2.0
LOOK_AT_LEAST_EVERY = 4
BACK_OFF_S = (0.5, 10.0)
# How fast most people read a sentence that they did not expect.
WORDS_READ_IN_A_S = 3


class MediahostApp(PatientApp):
    """What `mediahost tui` opens."""

    TITLE = "mediahost"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "switch_mode('jobs')", "Jobs", show=False, id="screen.jobs"),
        Binding("2", "switch_mode('watch')", "Watch", show=False, id="screen.watch"),
        Binding("3", "switch_mode('plugins')", "Plugins", show=False, id="screen.plugins"),
        Binding("4", "switch_mode('stats')", "Stats", show=False, id="screen.stats"),
        Binding("5", "switch_mode('hosts')", "Hosts", show=False, id="screen.hosts"),
        Binding("h", "start_host", "Start a host", show=False, id="host.start"),
        Binding("question_mark", "help", "Help", show=False, id="help"),
        Binding("q", "quit", "Quit", show=False, id="quit"),
        *MOVES,
    ]
    DEFAULT_CSS = """
    App { background: $background; }
    """
    # Where a person is; also without colours.
    CSS = """
    Select:focus > SelectCurrent { background: $block-cursor-background;
        color: $block-cursor-foreground; }
    OptionList:nocolor > .option-list--option-highlighted { text-style: underline; }
    OptionList:focus:nocolor > .option-list--option-highlighted { text-style: reverse; }
    Select:focus:nocolor > SelectCurrent { text-style: reverse; }
    Switch:focus:nocolor { text-style: reverse; }
    JobTable:nocolor .job-table--cursor { text-style: bold reverse; }
    JobTable:nocolor .job-table--cursor-blurred { text-style: underline; }
    """

    def __init__(
        self,
        session: Session,
        *,
        theme: str = "dark",
        ascii_only: bool = False,
        drawer: Drawer | None = None,
        global_options: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.session = session
        self.drawer = drawer
        self.views = Views(session.registry, PlainView)
        self._global_options = global_options
        self._signs = [PlainText()] if ascii_only else []
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = THEMES[theme]
        self.add_mode("jobs", partial(JobsScreen, session, self.views))
        self.add_mode("watch", partial(WatchScreen, session))
        self.add_mode("plugins", partial(PluginsScreen, session))
        self.add_mode("stats", partial(StatsScreen, session))
        self.add_mode("hosts", partial(HostsScreen, session))
        self.deeds = deeds(session.settings.tui_keys)
        self.report: Path | None = None
        self._wait = 0.0
        self._telling_bar = Seldom(self, self._tell_bar, BAR_AT_MOST_EVERY_S)
        self._hosts: list[HostView] | None = None
        self._pauses: list[Pause] = []
        self._written = False
        self._looks = 0
        self._counts: Mapping[JobStatus, int] = {}
        self._foreign: Mapping[JobStatus, int] = {}

    def on_mount(self) -> None:
        """Watch the store and the hosts."""
        self.set_keymap(self.session.settings.tui_keys)
        self.switch_mode("jobs")
        self.screen_change_signal.subscribe(self, self._told_later)
        self.set_interval(HOSTS_EVERY_S, self._look_for_hosts)
        self._ask_for_hosts()
        self._hear_of_changes()

    # --- what has changed ----------------------------------------------------------------------

    @work(group="changes")
    async def _hear_of_changes(self) -> None:
        """Tell the screen what happens in the store; after a fault, try again ever more slowly."""
        mark: Mark | None = None
        while True:
            try:
                changes = await self.session.changes(mark)
                mark = changes.mark
                self._out_of_trouble()
                await self._tell_changes(changes)
                await self._rest()
            except StoreError as error:
                self._in_trouble(error)
            if self._wait:
                await asyncio.sleep(self._wait)
                mark = None  # what is shown may be older than it says: all is read again

    async def _rest(self) -> None:
        """Until there is something new to look at, and it is time for it."""
        await asyncio.sleep(AT_MOST_EVERY_S if self.app_focus else BLURRED_EVERY_S)
        if await self.session.woken(0.0):
            await asyncio.sleep(STREAM_REST_S)
            return
        while not await self.session.woken(WAIT_S) and not self._wait:
            pass

    async def _tell_changes(self, changes: Changes) -> None:
        """Tell the screen, then the bar: what both show is painted once."""
        self._written = True
        before, self._counts = self._counts, changes.counts
        await self._tell_screen(changes)
        if changes.counts != before:
            self._telling_bar.ask()

    async def _tell_screen(self, changes: Changes) -> None:
        if self._is_left:
            return
        changed = getattr(self.screen, "store_changed", None)
        if changed is not None:
            await changed(changes)

    @property
    def _is_left(self) -> bool:
        """Whether the screens are gone already, while an answer of the store still comes."""
        return not self.screen_stack

    def on_trouble(self, message: Trouble) -> None:
        """The store can't be read: go on with what is known, and try again later."""
        self._in_trouble(message.error)

    def _in_trouble(self, error: StoreError) -> None:
        if not self._wait:
            self.notify(error.message, severity="error", markup=False)
        least, most = BACK_OFF_S
        self._wait = min(most, max(least, self._wait * 2))
        self._tell_bar()

    def _out_of_trouble(self) -> None:
        if self._wait:
            self._wait = 0.0
            self._tell_bar()

    def _look_for_hosts(self) -> None:
        # A host writes its heartbeat; one that ends without a word writes nothing.
        self._looks += 1
        if not self._wait and (self._written or self._looks % LOOK_AT_LEAST_EVERY == 0):
            self._written = False
            self._ask_for_hosts()

    @work(exclusive=True, group="hosts")
    async def _ask_for_hosts(self) -> None:
        try:
            hosts = [host for host in await self.session.hosts() if is_heard(host)]
            self._pauses = await self.session.pauses()
            self._foreign = await self.session.count_foreign()
        except StoreError as error:
            self._in_trouble(error)
            return
        self._hosts = hosts
        self._tell_bar()

    def on_pauses_changed(self) -> None:
        """Say so at the top."""
        self._ask_for_hosts()

    def _told_later(self, _screen: Screen[Any]) -> None:
        self.call_later(self._fit, self.size)
        self.call_later(self._tell_bar)
        self.call_later(self._catch_up)

    async def _catch_up(self) -> None:
        """The screen heard of nothing while it was out of sight, or behind a question."""
        try:
            await self._tell_screen(Changes(Mark("", 0, self._counts), resync=True))
        except StoreError as error:
            self._in_trouble(error)

    def _tell_bar(self) -> None:
        if self._is_left:
            return
        hosts = None if self._hosts is None else len(self._hosts)
        if (line := self.screen.query_one_optional(NoHost)) is not None:
            line.tell(hosts=hosts, waiting=self._waiting())
        if (bar := self.screen.query_one_optional(TopBar)) is not None:
            bar.tell(
                hosts=hosts,
                running=self._counts.get(JobStatus.PROCESSING, 0),
                failed=self._counts.get(JobStatus.FAILED, 0),
                waiting=self._waiting(),
                paused=bool(self._pauses),
            )
            bar.stale(self._fault())

    def _waiting(self) -> int:
        """How many jobs wait for a host: another program's don't."""
        pending = self._counts.get(JobStatus.PENDING, 0)
        return max(0, pending - self._foreign.get(JobStatus.PENDING, 0))

    def _fault(self) -> str:
        if self._wait:
            return "stale"
        return "read-only" if self.session.is_read_only else ""

    def on_resize(self, event: events.Resize) -> None:
        """Say so if there is no room."""
        self._fit(event.size)

    def _fit(self, size: Size) -> None:
        if self._is_left:
            return
        small = is_too_small(size)
        if small and not isinstance(self.screen, TooSmall):
            self.push_screen(TooSmall())
        elif not small and isinstance(self.screen, TooSmall):
            self.pop_screen()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What is done to all that is painted."""
        filters = [*super().get_line_filters(), *self._signs]
        if not self.no_color:
            return filters
        # Textual chooses before it knows the theme: of the terminal's own colours it made black.
        colorless = NoColor() if self.native_ansi_color else Monochrome()
        return [colorless if isinstance(one, NoColor | Monochrome) else one for one in filters]

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Say something for as long as it takes to read."""
        least = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
        stays = max(least, len(message.split()) / WORDS_READ_IN_A_S)
        super().notify(message, title=title, severity=severity, timeout=stays, markup=markup)

    # --- what fails ----------------------------------------------------------------------------

    def _register_child(
        self, parent: DOMNode, child: Widget, before: int | None, after: int | None
    ) -> None:
        super()._register_child(parent, child, before, after)
        if (shelter := shelter_around(child)) is not None:
            shelter.guard(child)

    def _handle_exception(self, error: Exception) -> None:
        """A plugin's view that fails is replaced; any other fault ends the program."""
        if (shelter := shelter_of(error)) is not None:
            shelter.fail(error)
            return
        if self.report is None:
            self.report = write_report(error, self.session.settings.data_dir, self.size)
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End; the report says more than a screen full of code would."""
        self._close_messages_no_wait()

    # --- keys ----------------------------------------------------------------------------------

    def on_submit_request(self, message: SubmitRequest) -> None:
        """Choose files, and what to do with them."""
        self._submit(message)

    @work
    async def _submit(self, asked: SubmitRequest) -> None:
        said = await self.push_screen_wait(SubmitScreen(self.session, asked))
        if said:
            await self.switch_mode("jobs")
            hint = "" if self._hosts else ". No host runs: press h to start one."
            self.notify(said + hint, markup=False)

    def on_start_host(self, message: StartHost) -> None:
        """Another host."""
        message.stop()
        self.start_host()

    def action_help(self) -> None:
        """Every key that works here."""
        self.push_screen(HelpScreen(self.screen))

    def action_start_host(self) -> None:
        """Start a host, or say that one runs."""
        if self._hosts:
            self.notify("A host runs already. Another one: press h on the screen Hosts.")
            return
        self.start_host()

    def start_host(self) -> None:
        """Start a host that outlives this program."""
        if self.session.is_read_only:
            self.notify("The store is of a newer mediahost: start that one's host")
            return
        try:
            start_host(self._global_options, self.session.settings.data_dir)
        except OSError as error:
            self.notify(f"No host can be started: {error}", severity="error", markup=False)
            return
        self.notify("A host is starting. It goes on when you quit: stop it on the screen Hosts.")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers: every key's action by name, and the themes."""
        for active, keys in keys_by_deed(screen):
            run = partial(self.run_action, active.binding.action, active.node)
            yield SystemCommand(active.binding.description, f"Key: {'  '.join(keys)}", run)
        if isinstance(screen, JobsScreen):
            for name, text in self.session.settings.tui_filters.items():
                yield SystemCommand(f"Filter: {name}", text, partial(screen.filter_by, text))
        for name, theme in THEMES.items():
            yield SystemCommand(f"Theme: {name}", "Other colours", partial(self._wear, theme))

    def _wear(self, theme: str) -> None:
        self.theme = theme
