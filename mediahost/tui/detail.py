"""One job, whole: summary, log, result, attempts, config."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

from mediahost.errors import StoreError
from mediahost.host.artifacts import log_path
from mediahost.model.job import AttemptView, JobStatus, JobView, Token
from mediahost.tui import job_facts
from mediahost.tui.log_pane import LogPane
from mediahost.tui.result_pane import ResultPane
from mediahost.tui.session import Session

if TYPE_CHECKING:
    from mediahost.tui.views import Views

TABS = ("summary", "log", "result", "attempts", "config")


class TabLine(Static):
    """The names of the tabs; the one that is open stands in brackets."""

    DEFAULT_CSS = """
    TabLine { height: 1; background: $panel; color: $text-muted; }
    """

    def tell(self, tab: str, title: str) -> None:
        """Emphasise another."""
        line = Text()
        for name in TABS:
            word = name.capitalize()
            line.append(f"[{word}]" if name == tab else f" {word} ", "bold" if name == tab else "")
            line.append(" ")
        line.append(f"  {title}")
        self.update(line)


class JobDetail(Vertical):
    """The tabs about one job."""

    DEFAULT_CSS = """
    JobDetail { height: 1fr; background: $background; }
    JobDetail ContentSwitcher { height: 1fr; }
    JobDetail VerticalScroll { padding: 0 1; scrollbar-size-vertical: 1; }
    """

    def __init__(self, session: Session, views: "Views") -> None:
        super().__init__(id="detail")
        self._session = session
        self._views = views
        self.number: int | None = None
        self._job: JobView | None = None

    @property
    def tab(self) -> str:
        """The tab that is open."""
        return self.query_one(ContentSwitcher).current or TABS[0]

    def compose(self) -> ComposeResult:
        """The tabs."""
        yield TabLine()
        with ContentSwitcher(initial="summary"):
            with VerticalScroll(id="summary"):
                yield Static("", markup=False)
            yield LogPane()
            yield ResultPane(self._session, self._views)
            with VerticalScroll(id="attempts"):
                yield Static("", markup=False)
            with VerticalScroll(id="config"):
                yield Static("", markup=False)

    @work(exclusive=True, group="detail")
    async def show(self, number: int) -> None:
        """Show a job as it is now."""
        self.number = number
        try:
            job = await self._session.job(number)
            tried = [] if job is None else await self._session.attempts(job.job_id)
        except StoreError as error:
            self._say(error.message)
            return
        if self.number != number:
            return
        before, self._job = self._job, job
        if job is None:
            self._say(f"Job {number} has been deleted.")
            return
        self._fill(job, tried)
        result = self.query_one(ResultPane)
        if before is None or _result_differs(before, job):
            result.forget()
        if self.tab == "result":
            await result.show(job)

    def open_tab(self, tab: str) -> None:
        """Open a tab by its name."""
        self.query_one(ContentSwitcher).current = tab
        self._tell_tab()
        if self._job is not None and tab == "result":
            self._show_result(self._job)

    def turn(self, steps: int) -> None:
        """Open the tab before or behind; the focus stays in the list if it is there."""
        has_focus = self.has_focus_within
        self.open_tab(TABS[(TABS.index(self.tab) + steps) % len(TABS)])
        if has_focus:
            self.focus_content()

    def focus_content(self) -> None:
        """Put the focus into the open tab."""
        pane = self.query_one(f"#{self.tab}")
        inside = [widget for widget in pane.walk_children(Widget) if widget.focusable]
        # What scrolls the pane comes last: a view's own parts have keys of their own.
        next(iter(inside), pane).focus()

    @work(exclusive=True, group="result")
    async def _show_result(self, job: JobView) -> None:
        await self.query_one(ResultPane).show(job)

    def _fill(self, job: JobView, tried: Iterable[AttemptView]) -> None:
        colors = self.app.theme_variables
        self.query_one("#summary Static", Static).update(job_facts.summary(job, colors))
        self.query_one("#config Static", Static).update(job_facts.config(job))
        logs = [(number, self.log_of(job, number)) for number in range(1, job.attempt + 1)]
        self.query_one("#attempts Static", Static).update(job_facts.attempts(job, tried, logs))
        self.query_one(LogPane).open(self.log_of(job, job.attempt), begun=job.attempt > 0)
        self._tell_tab()

    def log_of(self, job: JobView, attempt: int) -> Path:
        """Where an attempt's log is."""
        return log_path(self._session.settings.data_dir, Token(job.job_id, attempt))

    def _tell_tab(self) -> None:
        title = f"{self._job.number} {self._job.action}" if self._job else ""
        self.query_one(TabLine).tell(self.tab, title)

    def _say(self, text: str) -> None:
        self.query_one("#summary Static", Static).update(Text(text))
        self.open_tab("summary")


def _result_differs(before: JobView, after: JobView) -> bool:
    return (before.number, before.attempt, before.status is JobStatus.COMPLETED) != (
        after.number,
        after.attempt,
        after.status is JobStatus.COMPLETED,
    )
