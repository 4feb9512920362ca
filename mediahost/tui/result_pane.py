"""The tab Result: what a job gave, as its action's view shows it, or why there is nothing."""

import asyncio

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from mediahost.errors import StoreError
from mediahost.host.artifacts import log_path
from mediahost.model.job import JobStatus, JobView, Token
from mediahost.model.paths import display
from mediahost.tui.log_pane import readable
from mediahost.tui.session import Session
from mediahost.tui.views import Shown, Views

LAST_LINES = 20
LOG_TAIL = 16 * 1024


class ResultPane(VerticalScroll):
    """One result."""

    DEFAULT_CSS = "ResultPane { height: 1fr; }"

    def __init__(self, session: Session, views: Views) -> None:
        super().__init__(id="result")
        self._session = session
        self._views = views
        self._shown: object = None
        self._showing = asyncio.Lock()

    def forget(self) -> None:
        """What is shown may be old."""
        self._shown = None

    async def show(self, job: JobView) -> None:
        """Show the result of a job, unless it is there already."""
        key = (job.number, job.attempt, job.status)
        async with self._showing:
            if key == self._shown:
                return
            self._shown = None  # whoever is broken off here leaves nothing half shown
            await self._show(job)
            self._shown = key
        if self.has_focus:
            self.on_focus()

    async def _show(self, job: JobView) -> None:
        try:
            widget = await self._widget(job)
        except StoreError as error:
            widget = _text(error.message)
        with self.app.batch_update():
            await self.remove_children()
            await self.mount(widget)
            self.scroll_home(animate=False)

    def on_focus(self) -> None:
        """What has keys of its own takes them."""
        inside = (part for part in self.walk_children(Widget) if part.focusable)
        if (first := next(inside, None)) is not None:
            first.focus()

    async def _widget(self, job: JobView) -> Widget:
        stored = await self._session.result(job)
        if stored is None:
            return _text(self._why_nothing(job))
        others = await self._session.results_of(stored.hit.key.file_hash)
        shown = Shown(
            stored=stored,
            job=job,
            others=others,
            pictures=self._session.pictures,
        )
        return self._views.view(shown)

    def _why_nothing(self, job: JobView) -> str:
        if job.status is JobStatus.FAILED:
            log = "\n".join(self._last_lines(job))
            return f"{display_lines(job.error or 'It failed.')}\n\n{log}".rstrip()
        if job.status is JobStatus.COMPLETED:
            return "The result is no longer in the store. Compute it anew with R."
        if job.action is None:
            return "The job is another program's. Its children are in the store's own tables."
        return f"There is no result yet: the job is {job.status}."

    def _last_lines(self, job: JobView) -> list[str]:
        path = log_path(self._session.settings.data_dir, Token(job.job_id, job.attempt))
        try:
            with path.open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - LOG_TAIL))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        return [readable(line) for line in text.splitlines()[-LAST_LINES:]]


def display_lines(text: str) -> str:
    """Text of several lines, each safe on a terminal."""
    return "\n".join(display(line) for line in text.splitlines())


def _text(text: str) -> Static:
    return Static(Text(text), markup=False)
