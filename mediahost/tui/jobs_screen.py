"""The screen Jobs: facets, the list under a filter, and one job in detail."""

import asyncio
import threading
import time
from array import array
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widgets import Static

from mediahost.errors import MediahostError, StoreError
from mediahost.model.changes import Changes
from mediahost.model.job import JobStatus
from mediahost.model.job_filter import JobFilter
from mediahost.model.media import url_to_path
from mediahost.model.pause import Pause, PauseKind
from mediahost.store.browse import ActionCount, Order
from mediahost.tui.awaiting import with_rows
from mediahost.tui.confirm import Confirm
from mediahost.tui.detail import JobDetail
from mediahost.tui.due import Due
from mediahost.tui.facets import Facets
from mediahost.tui.filter_line import FilterLine
from mediahost.tui.job_table import JobTable
from mediahost.tui.news import PausesChanged, Trouble
from mediahost.tui.opening import open_outside
from mediahost.tui.pausing import PauseQuestion
from mediahost.tui.rows import Rows, joined
from mediahost.tui.session import Session, Steer
from mediahost.tui.status_line import StatusLine
from mediahost.tui.submit_request import SubmitRequest
from mediahost.tui.top_bar import NoHost, TopBar
from mediahost.tui.views import Views

FIRST = 128
MOST_FRESH = 2000
FACETS_FROM = 100
DETAIL_FROM = (90, 28)
# Counting a million jobs takes some 100 ms of CPU: never more than this share of the time.
COUNTING_SHARE = 0.02
COUNT_AT_MOST_EVERY_S = 0.5
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
        Binding("l", "log", "Log", show=False, id="jobs.log"),
        Binding("o", "open_file", "Open the file outside", show=False, id="jobs.open_file"),
        Binding("y", "copy", "Copy the path", show=False, id="jobs.copy"),
        Binding("s", "sort", "Sort", show=False, id="jobs.sort"),
        Binding("full_stop", "show_new", "Show new", show=False, id="jobs.show_new"),
        Binding("F", "follow", "Follow", show=False, id="jobs.follow"),
        Binding("escape", "back", "Back", show=False, id="jobs.back"),
    ]
    AUTO_FOCUS = "JobTable"
    DEFAULT_CSS = """
    JobsScreen #body { height: 1fr; }
    JobsScreen #list { height: 1fr; }
    JobsScreen #fresh { height: 1; display: none; content-align: right middle; padding: 0 1;
        background: $surface; color: $accent; }
    /* A hidden table would lose the focus, and with it the next keys. */
    JobsScreen JobTable.nothing { height: 0; }
    JobsScreen #empty { height: 1fr; display: none; padding: 1 2; }
    JobsScreen JobDetail { height: 45%; display: none; border-top: solid $border; }
    JobsScreen.open JobDetail { display: block; }
    JobsScreen.small.open #body { display: none; }
    JobsScreen.small.open JobDetail { height: 1fr; border-top: none; }
    JobsScreen.narrow Facets { display: none; }
    """

    def __init__(self, session: Session, views: Views) -> None:
        super().__init__()
        self._session = session
        self._views = views
        self._wanted = JobFilter()
        self._order = Order.NEWEST
        self._follow = True
        self._seen = 0
        self._fresh = array("q")
        self._listed: JobFilter | None = None
        self._listing: threading.Event | None = None
        self._complete = False
        self._relisting = True
        self._looking = False
        self._due = Due()
        self._counts: Mapping[JobStatus, int] = {}
        self._counts_due = False
        self._actions: list[ActionCount] = []
        self._counted_at = 0.0
        self._counting_took = 0.0
        self._counting = False
        self._count_again = False

    def compose(self) -> ComposeResult:
        """The parts."""
        yield TopBar("jobs")
        with Horizontal(id="body"):
            yield Facets(ascii_only=self._session.ascii_only)
            with Vertical(id="list"):
                yield FilterLine()
                yield JobTable(
                    attempts=self._session.settings.attempts, ascii_only=self._session.ascii_only
                )
                yield Static("", id="empty", markup=False)
                yield Static("", id="fresh", markup=False)
        yield JobDetail(self._session, self._views)
        yield NoHost()
        yield StatusLine(HINTS)

    def on_mount(self) -> None:
        """Read the first jobs, then the others."""
        self.set_interval(1.0, self._tick)
        self._relist()
        self._count()

    @property
    def table(self) -> JobTable:
        """The list."""
        return self.query_one(JobTable)

    @property
    def detail(self) -> JobDetail:
        """The job in detail."""
        return self.query_one(JobDetail)

    # --- reading -------------------------------------------------------------------------------

    @work(exclusive=True, group="list")
    async def _relist(self) -> None:
        """Read the list anew: the first lines at once, then the numbers of all."""
        if self._listing is not None:
            self._listing.set()
        self._listing = cancelled = threading.Event()
        wanted, order = self._wanted, self._order
        self._complete, self._relisting = False, True
        self._fresh = array("q")
        try:
            first = await self._session.first(wanted, order, FIRST)
            rows = Rows(order)
            numbers = [line.number for line in first]
            rows.replace(array("q", numbers[::-1] if order is Order.NEWEST else numbers), order)
            self._seen = max(numbers, default=0)
            self._listed = wanted
            if len(self.table.rows) == 0 or self.table.at_top:
                self.table.show(rows, first, whole=len(first) < FIRST)
            self._tell()
            await self._list_all(wanted, order, cancelled)
        except NoMatches:
            return  # the screen was left for good meanwhile
        except StoreError as error:
            self._relisting = False
            with suppress(NoMatches):
                self.table.rows_are_there()
            self.app.post_message(Trouble(error))
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def _list_all(self, wanted: JobFilter, order: Order, cancelled: threading.Event) -> None:
        newest = await self._session.newest()
        stretches = await self._session.numbers(wanted, order, cancelled)
        if stretches is None:
            return
        rows = Rows(order)
        numbers = joined(stretches)
        rows.replace(numbers, order)
        known = (self.table.rows.line(number) for number in self.table.in_sight())
        self._seen = max(newest, max(numbers[-1:], default=0) if order is Order.NEWEST else 0)
        self._complete, self._relisting = True, False
        self.table.show(rows, [line for line in known if line])
        self._tell()
        self._due.everything = True  # what came meanwhile was heard of by nobody
        if not self._looking:
            self._look()

    async def on_job_table_wanted(self, message: JobTable.Wanted) -> None:
        """Read lines that came into sight."""
        message.stop()
        self._read_lines(message.numbers)

    @work(group="lines")
    async def _read_lines(self, numbers: list[int]) -> None:
        try:
            look = await self._session.look(numbers, self._wanted, self._seen, 0)
        except NoMatches:
            return  # the screen was left for good meanwhile
        except StoreError as error:
            self.app.post_message(Trouble(error))
            return
        with suppress(NoMatches):
            self.table.put(look.lines)

    def store_changed(self, changes: Changes) -> None:
        """Something happened: see what it means for what is in sight."""
        if changes.resync and not self._complete and not self._relisting:
            self._relist()  # the store couldn't be read the first time
        self._due.add(changes)
        if not self._looking:
            self._look()
        if changes.counts != self._counts:
            self._counts = changes.counts
            self._tell_counts_soon()
        if changes.added or changes.deleted or changes.resync:
            self._count()

    @work(group="look")
    async def _look(self) -> None:
        self._looking = True
        try:
            while due := self._due.taken():
                await self._look_once(due)
        except NoMatches:
            return  # the screen was left for good meanwhile
        except StoreError as error:
            self.app.post_message(Trouble(error))
        finally:
            self._looking = False

    async def _look_once(self, due: Due) -> None:
        table = self.table
        visible = table.in_sight()
        wanted = visible if due.everything else [n for n in visible if n in due.changed]
        look = None
        if wanted or due.everything or (due.added and self._complete):
            most = MOST_FRESH if self._complete and (due.added or due.everything) else 0
            look = await self._session.look(wanted, self._wanted, self._seen, most)
        # Only now, so that all of it is painted together.
        current_changed = table.advance(due.progress)
        if look is not None:
            current_changed |= table.put(look.lines)
            if self._complete and look.newest > self._seen:
                self._take(look.fresh, look.newest)
        table.rows.distrust(None if due.everything else due.changed, but=wanted)
        if current_changed and self.has_class("open") and table.current is not None:
            self.detail.show(table.current)

    def _take(self, fresh: "array[int]", newest: int) -> None:
        """New jobs: shown at once where that moves nothing under the eye."""
        if len(fresh) == MOST_FRESH:  # too many to come one after the other
            if self._follow and self.table.at_top:
                self._relist()
                return
        else:
            self._seen = newest
        self._fresh.extend(fresh)
        at_top = self.table.at_top and not self.table.marked
        if self._order is Order.OLDEST or (self._order is Order.NEWEST and self._follow and at_top):
            self.action_show_new()
        self._tell()

    @work(group="count")
    async def _count(self) -> None:
        """Count the states, but not all the time."""
        self._count_again = True
        if self._counting:
            return
        self._counting = True
        try:
            while self._count_again:
                self._count_again = False
                await self._count_once()
        except NoMatches:
            return  # the screen was left for good meanwhile
        except StoreError as error:
            self.app.post_message(Trouble(error))
        finally:
            self._counting = False

    async def _count_once(self) -> None:
        pause = max(COUNT_AT_MOST_EVERY_S, self._counting_took / COUNTING_SHARE)
        if (left := self._counted_at + pause - time.monotonic()) > 0:
            await asyncio.sleep(left)
            self._count_again = False
        self._actions, self._counting_took = await self._session.census()
        self._counted_at = time.monotonic()
        self._tell_counts()

    # --- telling -------------------------------------------------------------------------------

    def _tick(self) -> None:
        if self.is_current:
            self.table.tick()

    def _tell_counts_soon(self) -> None:
        if self._counts_due:
            return
        self._counts_due = True
        if self._counted_at == 0.0:  # nothing is told yet
            self._tell_counts()
        else:
            self.set_timer(COUNT_AT_MOST_EVERY_S, self._tell_counts)

    def _tell_counts(self) -> None:
        self._counts_due = False
        chosen = {
            field: [str(value) for value in self._wanted.values_of(field)]
            for field in ("state", "action")
        }
        saved = tuple(self._session.settings.tui_filters)
        self.query_one(Facets).tell(self._counts, self._actions, chosen, saved)

    def _tell(self) -> None:
        table = self.table
        total = len(table.rows)
        first, height = table.window
        last = min(total, first + height)
        marks = total if table.all_marked else len(table.marked)
        more = "" if self._complete or total < FIRST else "+"
        self.query_one(FilterLine).count(f"{total:,}{more}" + (f"  ✓{marks:,}" if marks else ""))
        following = "live" if self._follow else "at rest"
        sight = f"{first + 1:,}-{last:,} of {total:,}{more}" if total else "nothing"
        if self.has_class("open") and self.has_class("small"):  # the list is out of sight
            sight = f"{table.cursor + 1:,} of {total:,}{more}"
        self.query_one(StatusLine).tell(f"{sight} · {self._order} · {following}")
        fresh = self.query_one("#fresh", Static)
        fresh.display = bool(self._fresh)
        if self._fresh:
            most = "+" if len(self._fresh) >= MOST_FRESH else ""
            fresh.update(Text(f"▲ {len(self._fresh):,}{most} new, press ."))
        self._tell_empty(total)

    def _tell_empty(self, total: int) -> None:
        empty = self.query_one("#empty", Static)
        show = total == 0 and self._listed == self._wanted
        empty.display = show
        self.table.set_class(show, "nothing")
        if not show:
            return
        if self._wanted.terms:
            empty.update(Text(f"No job matches  {self._wanted.text}\n\nEsc clears the filter."))
        else:
            empty.update(_first_steps())

    def on_job_table_highlighted(self, message: JobTable.Highlighted) -> None:
        """The cursor moved: the detail follows."""
        message.stop()
        if self.has_class("open") and message.number is not None:
            self._follow_cursor()
        self._tell()

    @work(exclusive=True, group="follow")
    async def _follow_cursor(self) -> None:
        await asyncio.sleep(0.1)
        if self.table.current is not None:
            self.detail.show(self.table.current)

    def on_job_table_marked(self, message: JobTable.Marked) -> None:
        """Other marks."""
        message.stop()
        self._tell()

    def on_job_table_resized(self, message: JobTable.Resized) -> None:
        """Others are in sight: an empty list has no room at all until something comes."""
        message.stop()
        self._tell()

    def on_resize(self, event: events.Resize) -> None:
        """What finds room."""
        size = event.size
        self.set_class(size.width < FACETS_FROM, "narrow")
        self.set_class(size.width < DETAIL_FROM[0] or size.height < DETAIL_FROM[1], "small")

    # --- filter and order ----------------------------------------------------------------------

    def action_filter(self) -> None:
        """Write the filter."""
        self.query_one(FilterLine).edit()

    def action_failed(self) -> None:
        """Only what failed; again: everything."""
        self._toggle("state", str(JobStatus.FAILED), alone=True)

    def on_facets_chosen(self, message: Facets.Chosen) -> None:
        """Put a state or an action into the filter, or take it out."""
        message.stop()
        if message.field == "saved":
            self.filter_by(self._session.settings.tui_filters[message.value])
        else:
            self._toggle(message.field, message.value)

    def filter_by(self, text: str) -> None:
        """Write another filter."""
        self.query_one(FilterLine).write(text)

    def _toggle(self, field: str, value: str, *, alone: bool = False) -> None:
        chosen = [str(one) for one in self._wanted.values_of(field)]
        if value in chosen:
            chosen.remove(value)
        else:
            chosen = [value] if alone else [*chosen, value]
        self.query_one(FilterLine).write(self._wanted.with_values(field, tuple(chosen)))

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        """Another filter."""
        message.stop()
        self._wanted = message.wanted
        self.table.move_to(0)
        self.table.clear_marks()
        self.table.await_rows()
        self._relist()
        self._tell_counts()

    def on_filter_line_left(self, message: FilterLine.Left) -> None:
        """Back to the list."""
        message.stop()
        self.table.focus()

    def action_sort(self) -> None:
        """The next order."""
        orders = list(Order)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self.table.move_to(0)
        self.table.await_rows()
        self._relist()

    def action_follow(self) -> None:
        """Let new jobs in at the top by themselves, or not."""
        self._follow = not self._follow
        if self._follow:
            self.action_show_new()
        self._tell()

    def action_show_new(self) -> None:
        """Let the new jobs in; what no longer matches goes."""
        if self._order in (Order.NEWEST, Order.OLDEST) and len(self._fresh) < MOST_FRESH:
            fresh, self._fresh = self._fresh, array("q")
            self.table.grow(fresh)
            self._tell()
        else:
            self._relist()

    def when_there(self, act: Callable[[], object]) -> None:
        """Do this at once if the rows are there, else as soon as they come."""
        self.table.when_there(act)

    # --- one job -------------------------------------------------------------------------------

    def on_job_table_opened(self, message: JobTable.Opened) -> None:
        """Show a job in detail."""
        message.stop()
        self._open("summary" if not self.has_class("open") else self.detail.tab)

    @with_rows
    def action_log(self) -> None:
        """Show the log."""
        self._open("log")

    def _open(self, tab: str) -> None:
        if self.table.current is None:
            return
        line = self.table.current_line
        if tab == "summary" and line is not None and line.status is JobStatus.COMPLETED:
            tab = "result"
        self.add_class("open")
        self._tell()
        self.detail.show(self.table.current)
        self.detail.open_tab(tab)
        self.call_after_refresh(self.detail.focus_content)

    def action_back(self) -> None:
        """Close the detail; else drop the marks; else clear the filter."""
        if self.has_class("open"):
            self.remove_class("open")
            self._tell()
            self.table.focus()
        elif self.table.marked or self.table.all_marked:
            self.table.clear_marks()
        elif self.query_one(FilterLine).text:
            self.query_one(FilterLine).write("")
        else:
            self.table.focus()

    @with_rows
    def action_open_file(self) -> None:
        """Open the media file with the program that the desktop has for it."""
        line = self.table.current_line
        if line is not None:
            said = open_outside(Path(url_to_path(line.media_url)))
            self.notify(said, markup=False)

    @with_rows
    def action_copy(self) -> None:
        """Put the path into the clipboard."""
        line = self.table.current_line
        if line is not None:
            self.app.copy_to_clipboard(url_to_path(line.media_url))
            self.notify("The path is in the clipboard")

    # --- steering ------------------------------------------------------------------------------

    def action_mark_all(self) -> None:
        """Mark all that match, however many."""
        self.table.mark_all()

    @with_rows
    @work(group="steer")
    async def action_cancel(self) -> None:
        """Cancel: one pending job at once, more or a running one after a question."""
        line = self.table.current_line
        pending = line is not None and line.status is JobStatus.PENDING
        if await self._asked("Cancel", at_once=pending):
            await self._steer("cancelled", self._session.cancel)

    @with_rows
    @work(group="steer")
    async def action_retry(self) -> None:
        """Try failed and cancelled jobs again."""
        if await self._asked("Try again", at_once=True):
            await self._steer("pending again", self._session.retry)

    @with_rows
    @work(group="steer")
    async def action_delete(self) -> None:
        """Delete jobs; their results stay."""
        if await self._asked("Delete", at_once=False):
            await self._steer("deleted", self._session.delete)
            self._relist()

    @work(group="steer")
    async def action_pause(self) -> None:
        """Have jobs wait until they are resumed: all, or those of this one's action or source."""
        asked = [Pause(PauseKind.ALL)]
        try:
            if self.table.current is not None:
                job = await self._session.job(self.table.current)
                if job is not None:
                    asked.append(Pause(PauseKind.ACTION, job.action))
                    if "@" not in job.source:  # a run's own ends with it
                        asked.append(Pause(PauseKind.SOURCE, job.source))
            paused = await self._session.pauses()
            chosen = await self.app.push_screen_wait(PauseQuestion(asked, paused))
            if chosen is not None:
                await self._session.change_pause(chosen, paused=chosen not in paused)
                self.app.post_message(PausesChanged())
        except MediahostError as error:
            self._say(error)

    def _say(self, error: MediahostError) -> None:
        self.notify(f"{error.message}. {error.hint or ''}", severity="error", markup=False)

    def action_new(self) -> None:
        """Choose files, and what to do with them."""
        self.app.post_message(SubmitRequest())

    @with_rows
    @work(group="steer")
    async def action_rerun(self) -> None:
        """Run an action again on its file, with its config to be edited."""
        if self.table.current is None:
            return
        try:
            job = await self._session.job(self.table.current)
        except StoreError as error:
            self._say(error)
            return
        if job is not None:
            path = Path(url_to_path(job.media_url))
            self.app.post_message(
                SubmitRequest(job.action or "", job.parameters.get("config"), [path])
            )

    async def _asked(self, verb: str, *, at_once: bool) -> bool:
        """Whether to go on: one job may need no question, many always do."""
        table = self.table
        if table.all_marked:
            what, details = f"all {len(table.rows):,} jobs", f"Filter: {self._wanted.text or '-'}"
        elif table.marked:
            what, details = f"{len(table.marked):,} marked jobs", ""
        elif table.current is None:
            return False
        elif at_once:
            return True
        else:
            line = table.current_line
            what = f"job {table.current}"
            details = "" if line is None else f"{line.status} {line.action}\n{line.media_url}"
        question = Confirm(f"{verb} {what}?", details, verb)
        return await self.app.push_screen_wait(question) is True

    async def _steer(self, done: str, steer: Steer) -> None:
        table = self.table
        numbers: list[int] | None = None
        if not table.all_marked:
            numbers = sorted(table.marked) or ([] if table.current is None else [table.current])
        try:
            concerned = await steer(self._wanted, numbers)
        except MediahostError as error:
            self._say(error)
            return
        jobs = "1 job" if concerned == 1 else f"{concerned:,} jobs"
        self.notify(f"{jobs} {done}" if concerned else "No such job can be: nothing was done")
        table.clear_marks()


def _first_steps() -> Text:
    steps = (
        ("n", "choose files and what to do with them"),
        ("h", "start a host, which runs the jobs; it goes on when you quit"),
        ("enter", "open a job to see its result"),
    )
    text = Text("There are no jobs yet.\n\n", style="")
    for number, (key, does) in enumerate(steps, 1):
        text.append(f"  {number}. ")
        text.append(f"{key:<6}", style="bold")
        text.append(f" {does}\n")
    return text
