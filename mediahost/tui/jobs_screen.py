"""The screen Jobs: facets, the list under a filter, and one job in detail."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen

from mediahost.model.changes import Changes
from mediahost.model.job import JobStatus
from mediahost.model.paths import url_to_path
from mediahost.tui.awaiting import with_rows
from mediahost.tui.detail import JobDetail
from mediahost.tui.facets import Facets
from mediahost.tui.job_list import JobList
from mediahost.tui.job_table import JobTable
from mediahost.tui.opening import open_outside
from mediahost.tui.painting import NearCompositor
from mediahost.tui.patience import opens
from mediahost.tui.session import Session
from mediahost.tui.status_line import StatusLine
from mediahost.tui.steering import Steering
from mediahost.tui.submit_request import SubmitRequest
from mediahost.tui.top_bar import NoHost, TopBar
from mediahost.tui.views import Views

FACETS_FROM = 100
DETAIL_FROM = (90, 28)
HINTS = (
    ("jobs.filter", "filter"),
    ("jobs.new", "new"),
    ("jobs.cancel", "cancel"),
    ("jobs.retry", "retry"),
    ("jobs.open", "open"),
    ("help", "help"),
)


class JobsScreen(Screen[None]):
    """Jobs, live."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", show=False, id="jobs.filter"),
        Binding("exclamation_mark", "failed", "Failed only", show=False, id="jobs.failed"),
        Binding("asterisk", "mark_all", "Mark all that match", show=False, id="jobs.mark_all"),
        Binding("x", "cancel", "Cancel", show=False, id="jobs.cancel"),
        Binding("r", "retry", "Try again", show=False, id="jobs.retry"),
        Binding("n", "new", "New jobs", show=False, id="jobs.new"),
        Binding("R", "rerun", "Run again with another config", show=False, id="jobs.rerun"),
        Binding("p", "pause", "Pause or resume", show=False, id="jobs.pause"),
        Binding("d", "delete", "Delete", show=False, id="jobs.delete"),
        Binding("plus", "move(True)", "Move up: a higher priority", show=False, id="jobs.move_up"),
        Binding("minus", "move(False)", "Move down: a lower one", show=False, id="jobs.move_down"),
        Binding("l", "log", "Log", show=False, id="jobs.log"),
        Binding("o", "open_file", "Open the file outside", show=False, id="jobs.open_file"),
        Binding("y", "copy", "Copy the path", show=False, id="jobs.copy"),
        Binding("s", "sort", "Sort", show=False, id="jobs.sort"),
        Binding("full_stop", "show_new", "Show new", show=False, id="jobs.show_new"),
        Binding("F", "follow", "Follow", show=False, id="jobs.follow"),
        Binding("escape", "back", "Back", show=False, id="jobs.back"),
        Binding("left_square_bracket", "tab(-1)", "Tab before", show=False, id="detail.before"),
        Binding("right_square_bracket", "tab(1)", "Next tab", show=False, id="detail.next"),
    ]
    AUTO_FOCUS = "JobTable"
    DEFAULT_CSS = """
    JobsScreen #body { height: 1fr; }
    JobsScreen JobDetail { height: 45%; display: none; border-top: solid $border; }
    JobsScreen.open JobDetail { display: block; }
    JobsScreen.small.open #body { display: none; }
    JobsScreen.small.open JobDetail { height: 1fr; border-top: none; }
    JobsScreen.narrow Facets { display: none; }
    """

    def __init__(self, session: Session, views: Views) -> None:
        super().__init__()
        self._compositor = NearCompositor()
        self._session = session
        self._views = views
        self.list = JobList(session)
        self._facets = Facets(session)
        self._status = StatusLine(HINTS)
        self._steering = Steering(self, session, self.list)

    def compose(self) -> ComposeResult:
        """The parts."""
        yield TopBar("jobs")
        with Horizontal(id="body"):
            yield self._facets
            yield self.list
        yield JobDetail(self._session, self._views)
        yield NoHost()
        yield self._status

    def on_mount(self) -> None:
        """Ages change by themselves."""
        self.set_interval(1.0, self._tick)

    @property
    def detail(self) -> JobDetail:
        """The job in detail."""
        return self.query_one(JobDetail)

    async def store_changed(self, changes: Changes) -> None:
        """Something happened.

        Raises:
            StoreError: The store can't be read.
        """
        await self.list.look(changes)
        if self.is_attached:
            self._facets.store_changed(changes)

    def _tick(self) -> None:
        if self.is_current:
            self.list.table.tick()

    def on_job_list_told(self, message: JobList.Told) -> None:
        """Say what is in sight."""
        message.stop()
        listed = self.list
        sight = listed.in_sight
        if self.has_class("open") and self.has_class("small"):  # the list is out of sight
            sight = f"{listed.table.cursor + 1:,} of {listed.length}"
        following = "live" if listed.follows else "at rest"
        self._status.tell(f"{sight} · {listed.order} · {following}")

    def on_resize(self, event: events.Resize) -> None:
        """What finds room."""
        size = event.size
        self.set_class(size.width < FACETS_FROM, "narrow")
        self.set_class(size.width < DETAIL_FROM[0] or size.height < DETAIL_FROM[1], "small")

    # --- filter and order ----------------------------------------------------------------------

    def on_job_list_filtered(self, message: JobList.Filtered) -> None:
        """Another filter: emphasise what is in it."""
        message.stop()
        self._facets.choose(message.wanted)

    def on_facets_chosen(self, message: Facets.Chosen) -> None:
        """Put a state or an action into the filter, or take it out."""
        message.stop()
        if message.field == "saved":
            self.filter_by(self._session.settings.tui_filters[message.value])
        else:
            self.list.toggle(message.field, message.value)

    def filter_by(self, text: str) -> None:
        """Write another filter."""
        self.list.filter_line.write(text)

    def action_filter(self) -> None:
        """Write the filter."""
        self.list.filter_line.edit()

    def action_failed(self) -> None:
        """Only what failed; again: everything."""
        self.list.toggle("state", str(JobStatus.FAILED), alone=True)

    def action_sort(self) -> None:
        """The next order."""
        self.list.sort()

    def action_follow(self) -> None:
        """Let new jobs in at the top by themselves, or not."""
        self.list.follow()

    def action_show_new(self) -> None:
        """Let the new jobs in; what no longer matches goes."""
        came = self.list.waiting
        self.list.show_new()
        if came and not self.list.table.at_top:
            # Nothing moves under the eye, so nothing is seen of them.
            self.notify(f"{came:,} new above: g goes there")

    def action_mark_all(self) -> None:
        """Mark all that match, however many."""
        self.list.table.mark_all()

    # --- one job -------------------------------------------------------------------------------

    def when_there(self, act: Callable[[], object]) -> None:
        """Do this at once if the rows are there, else as soon as they come."""
        self.list.table.when_there(act)

    def on_job_table_highlighted(self, message: JobTable.Highlighted) -> None:
        """The cursor moved: the detail follows."""
        message.stop()
        if self.has_class("open") and message.number is not None:
            self._follow_cursor()
        self.list.tell()

    @work(exclusive=True, group="follow")
    async def _follow_cursor(self) -> None:
        await asyncio.sleep(0.1)
        if self.list.table.current is not None:
            self.detail.show(self.list.table.current)

    def on_job_list_changed(self, message: JobList.Changed) -> None:
        """The detail too."""
        message.stop()
        if self.has_class("open"):
            self.detail.show(message.number)

    def on_job_table_opened(self, message: JobTable.Opened) -> None:
        """Show a job in detail."""
        message.stop()
        self._open("summary" if not self.has_class("open") else self.detail.tab)

    @with_rows
    def action_log(self) -> None:
        """Show the log."""
        self._open("log")

    def _open(self, tab: str) -> None:
        table = self.list.table
        if table.current is None:
            return
        line = table.current_line
        if tab == "summary" and line is not None and line.status is JobStatus.COMPLETED:
            tab = "result"
        self.add_class("open")
        self.list.tell()
        self.detail.show(table.current)
        self.detail.open_tab(tab)
        self.call_after_refresh(self.detail.focus_content)

    def action_tab(self, steps: int) -> None:
        """Open the tab of the detail that is before or behind, if the detail is open."""
        if self.has_class("open"):
            self.detail.turn(steps)

    def action_back(self) -> None:
        """Close the detail; else drop the marks; else clear the filter."""
        table = self.list.table
        if self.has_class("open"):
            self.remove_class("open")
            self.list.tell()
            table.focus()
        elif table.marked or table.all_marked:
            table.clear_marks()
        elif self.list.filter_line.text:
            self.list.filter_line.write("")
        else:
            table.focus()

    @with_rows
    def action_open_file(self) -> None:
        """Open the media file with the program that the desktop has for it."""
        if (line := self.list.table.current_line) is not None:
            self.notify(open_outside(Path(url_to_path(line.media_url))), markup=False)

    @with_rows
    def action_copy(self) -> None:
        """Put the path into the clipboard."""
        if (line := self.list.table.current_line) is not None:
            self.app.copy_to_clipboard(url_to_path(line.media_url))
            self.notify("The path is in the clipboard")

    # --- steering ------------------------------------------------------------------------------

    def action_new(self) -> None:
        """Choose files, and what to do with them."""
        self.app.post_message(SubmitRequest())

    @opens
    async def action_cancel(self) -> None:
        """Cancel."""
        await self._steering.cancel()

    @opens
    async def action_retry(self) -> None:
        """Try again."""
        await self._steering.retry()

    @opens
    async def action_delete(self) -> None:
        """Delete."""
        await self._steering.delete()

    @opens
    async def action_move(self, up: bool) -> None:
        """Move up or down among those that wait."""
        await self._steering.move(up=up)

    @opens
    async def action_pause(self) -> None:
        """Pause or resume."""
        await self._steering.pause()

    @opens
    async def action_rerun(self) -> None:
        """Run again with another config."""
        await self._steering.rerun()
