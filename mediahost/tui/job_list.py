"""The list of jobs under a filter: what is read for it, and what comes in while one looks."""

import asyncio
import threading
from array import array
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from mediahost.errors import StoreError
from mediahost.model.changes import Changes, Mark
from mediahost.model.job_filter import JobFilter
from mediahost.store.browse import Look, Order
from mediahost.tui.filter_line import FilterLine
from mediahost.tui.job_table import JobTable
from mediahost.tui.news import Trouble
from mediahost.tui.rows import Rows, joined
from mediahost.tui.session import Session

FIRST = 128
MOST_FRESH = 2000
EVERYTHING = Changes(Mark("", 0, {}), resync=True)


class JobList(Vertical):
    """The filter, the jobs that match, and how many new ones wait to be let in."""

    DEFAULT_CSS: ClassVar[str] = """
    JobList { height: 1fr; }
    JobList #fresh { height: 1; display: none; content-align: right middle; padding: 0 1;
        background: $surface; color: $accent; }
    /* A hidden table would lose the focus, and with it the next keys. */
    JobList JobTable.nothing { height: 0; }
    JobList #empty { height: 1fr; display: none; padding: 1 2; }
    """

    class Told(Message):
        """Other jobs are listed, in sight or marked."""

    @dataclass
    class Filtered(Message):
        """Another filter is meant."""

        wanted: JobFilter

    @dataclass
    class Changed(Message):
        """The job under the cursor looks different."""

        number: int

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        # Kept, not looked for: answers of the store may come when the screen is being left.
        self.filter_line = FilterLine()
        self.table = JobTable(attempts=session.settings.attempts)
        self._empty = Static("", id="empty", markup=False)
        self._new = Static("", id="fresh", markup=False)
        self.wanted = JobFilter()
        self.order = Order.NEWEST
        self.follows = True
        self.is_complete = False
        self._is_relisting = True
        self._seen = 0
        self._fresh = array("q")
        self._listed: JobFilter | None = None
        self._listing: threading.Event | None = None
        self._looking = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """The filter, the list or what stands in its place, the new ones."""
        yield self.filter_line
        yield self.table
        yield self._empty
        yield self._new

    def on_mount(self) -> None:
        """Read the first jobs, then the others."""
        self.relist()

    # --- reading -------------------------------------------------------------------------------

    @work(exclusive=True, group="list")
    async def relist(self) -> None:
        """Read the list anew: the first lines at once, then the numbers of all."""
        if self._listing is not None:
            self._listing.set()
        self._listing = cancelled = threading.Event()
        wanted, order = self.wanted, self.order
        self.is_complete, self._is_relisting = False, True
        self._fresh = array("q")
        try:
            await self._list_first(wanted, order)
            await self._list_all(wanted, order, cancelled)
        except StoreError as error:
            self._is_relisting = False
            self.table.rows_are_there()
            self.app.post_message(Trouble(error))
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def _list_first(self, wanted: JobFilter, order: Order) -> None:
        first = await self._session.first(wanted, order, FIRST)
        if not self.is_attached:
            return
        rows = Rows(order)
        numbers = [line.number for line in first]
        rows.replace(array("q", numbers[::-1] if order is Order.NEWEST else numbers), order)
        self._seen = max(numbers, default=0)
        self._listed = wanted
        if len(self.table.rows) == 0 or self.table.at_top:
            self.table.show(rows, first, whole=len(first) < FIRST)
        self.tell()

    async def _list_all(self, wanted: JobFilter, order: Order, cancelled: threading.Event) -> None:
        newest = await self._session.newest()
        stretches = await self._session.numbers(wanted, order, cancelled)
        if stretches is None or not self.is_attached:
            return
        rows = Rows(order)
        numbers = joined(stretches)
        rows.replace(numbers, order)
        known = (self.table.rows.line(number) for number in self.table.in_sight())
        self._seen = max(newest, max(numbers[-1:], default=0) if order is Order.NEWEST else 0)
        self.is_complete, self._is_relisting = True, False
        self.table.show(rows, [line for line in known if line])
        self.tell()
        await self.look(EVERYTHING)  # what came meanwhile was heard of by nobody

    async def on_job_table_wanted(self, message: JobTable.Wanted) -> None:
        """Read lines that came into sight."""
        message.stop()
        self._read_lines(message.numbers)

    @work(group="lines")
    async def _read_lines(self, numbers: list[int]) -> None:
        try:
            look = await self._session.look(numbers, self.wanted, self._seen, 0)
        except StoreError as error:
            self.app.post_message(Trouble(error))
            return
        if self.is_attached:
            self.table.put(look.lines)

    async def look(self, changes: Changes) -> None:
        """Something happened: see what it means for what is in sight.

        Raises:
            StoreError: The store can't be read.
        """
        if changes.resync and not self.is_complete and not self._is_relisting:
            self.relist()  # the store couldn't be read the first time
        async with self._looking:
            await self._look(changes)

    async def _look(self, changes: Changes) -> None:
        visible = self.table.in_sight()
        changed = {*changes.changed, *changes.deleted}
        wanted = visible if changes.resync else [n for n in visible if n in changed]
        asks_new = self.is_complete and (changes.resync or bool(changes.added))
        look = None
        if wanted or asks_new:
            most = MOST_FRESH if asks_new else 0
            look = await self._session.look(wanted, self.wanted, self._seen, most)
        if self.is_attached:
            self._show(changes, look, looked_at=wanted)

    def _show(self, changes: Changes, look: Look | None, *, looked_at: list[int]) -> None:
        """Show what was seen, all of it in one paint."""
        table = self.table
        is_current_changed = table.advance(changes.progress)
        if look is not None:
            is_current_changed |= table.put(look.lines)
            if self.is_complete and look.newest > self._seen:
                self._take(look.fresh, look.newest)
        changed = None if changes.resync else (*changes.changed, *changes.deleted)
        table.rows.distrust(changed, but=looked_at)
        if is_current_changed and table.current is not None:
            self.post_message(self.Changed(table.current))

    def _take(self, fresh: "array[int]", newest: int) -> None:
        """New jobs: shown at once where that moves nothing under the eye."""
        if len(fresh) == MOST_FRESH:  # too many to come one after the other
            if self.follows and self.table.at_top:
                self.relist()
                return
        else:
            self._seen = newest
        self._fresh.extend(fresh)
        at_top = self.table.at_top and not self.table.marked
        if self.order is Order.OLDEST or (self.order is Order.NEWEST and self.follows and at_top):
            self.show_new()
        self.tell()

    # --- filter and order ----------------------------------------------------------------------

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        """Another filter."""
        message.stop()
        self.wanted = message.wanted
        self.table.clear_marks()
        self._restart()
        self.post_message(self.Filtered(message.wanted))

    def on_filter_line_left(self, message: FilterLine.Left) -> None:
        """Back to the list."""
        message.stop()
        self.table.focus()

    def toggle(self, field: str, value: str, *, alone: bool = False) -> None:
        """Put a value of a field into the filter, or take it out."""
        chosen = [str(one) for one in self.wanted.values_of(field)]
        if value in chosen:
            chosen.remove(value)
        else:
            chosen = [value] if alone else [*chosen, value]
        self.filter_line.write(self.wanted.with_values(field, tuple(chosen)))

    def sort(self) -> None:
        """The next order."""
        orders = list(Order)
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]
        self._restart()

    def _restart(self) -> None:
        self.table.move_to(0)
        self.table.await_rows()
        self.relist()

    def follow(self) -> None:
        """Let new jobs in at the top by themselves, or not."""
        self.follows = not self.follows
        if self.follows:
            self.show_new()
        self.tell()

    def show_new(self) -> None:
        """Let the new jobs in; what no longer matches goes."""
        if self.order in (Order.NEWEST, Order.OLDEST) and len(self._fresh) < MOST_FRESH:
            fresh, self._fresh = self._fresh, array("q")
            self.table.grow(fresh)
            self.tell()
        else:
            self.relist()

    # --- telling -------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many new jobs wait to be let in."""
        return len(self._fresh)

    @property
    def length(self) -> str:
        """How many jobs match, as far as that is known."""
        total = len(self.table.rows)
        return f"{total:,}{'' if self.is_complete or total < FIRST else '+'}"

    @property
    def in_sight(self) -> str:
        """Which of them are in sight."""
        total = len(self.table.rows)
        first, height = self.table.window
        return (
            f"{first + 1:,}-{min(total, first + height):,} of {self.length}" if total else "nothing"
        )

    def tell(self) -> None:
        """Say how many there are, how many are marked, how many wait."""
        table = self.table
        total = len(table.rows)
        marks = total if table.all_marked else len(table.marked)
        self.filter_line.count(self.length + (f"  ✓{marks:,}" if marks else ""))
        if self._fresh:
            most = "+" if len(self._fresh) >= MOST_FRESH else ""
            self._new.update(Text(f"▲ {len(self._fresh):,}{most} new, press ."), layout=False)
        self._new.display = bool(self._fresh)
        self._tell_empty(is_empty=total == 0 and self._listed == self.wanted)
        self.post_message(self.Told())

    def _tell_empty(self, *, is_empty: bool) -> None:
        self._empty.display = is_empty
        self.table.set_class(is_empty, "nothing")
        if is_empty and self.wanted.terms:
            self._empty.update(
                Text(f"No job matches  {self.wanted.text}\n\nEsc clears the filter.")
            )
        elif is_empty:
            self._empty.update(_first_steps())

    def on_job_table_marked(self, message: JobTable.Marked) -> None:
        """Other marks."""
        message.stop()
        self.tell()

    def on_job_table_resized(self, message: JobTable.Resized) -> None:
        """Others are in sight: an empty list has no room at all until something comes."""
        message.stop()
        self.tell()


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
