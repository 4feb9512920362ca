"""Steering jobs: cancel, try again, delete, pause, run again, each after a question if need be."""

from collections.abc import Callable
from pathlib import Path

from textual.screen import Screen

from mediahost.errors import MediahostError
from mediahost.model.job import JobStatus
from mediahost.model.media import url_to_path
from mediahost.model.pause import Pause, PauseKind
from mediahost.tui.confirm import Confirm
from mediahost.tui.job_list import JobList
from mediahost.tui.news import PausesChanged
from mediahost.tui.pausing import PauseQuestion
from mediahost.tui.session import Session, Steer
from mediahost.tui.submit_request import SubmitRequest


class Steering:
    """What keys do to the marked jobs of a list, or to the one under its cursor."""

    def __init__(self, screen: Screen[None], session: Session, listed: JobList) -> None:
        self._screen = screen
        self._session = session
        self._list = listed

    async def cancel(self) -> None:
        """Cancel: one pending job at once, more or a running one after a question."""
        line = self._list.table.current_line
        is_pending = line is not None and line.status is JobStatus.PENDING
        if await self._is_meant("Cancel", at_once=is_pending):
            self._begin("cancelled", self._session.cancel)

    async def retry(self) -> None:
        """Try failed and cancelled jobs again."""
        if await self._is_meant("Try again", at_once=True):
            self._begin("pending again", self._session.retry)

    async def delete(self) -> None:
        """Delete jobs; their results stay."""
        if await self._is_meant("Delete", at_once=False):
            self._begin("deleted", self._session.delete, then=self._list.relist)

    async def pause(self) -> None:
        """Have jobs wait until they are resumed: all, or those of this one's action or source."""
        try:
            asked = await self._pausable()
            paused = await self._session.pauses()
            question = PauseQuestion(asked, paused)
            chosen = await self._screen.app.push_screen_wait(question)
            if chosen is not None:
                await self._session.change_pause(chosen, paused=chosen not in paused)
                self._screen.app.post_message(PausesChanged())
        except MediahostError as error:
            self._say(error)

    async def _pausable(self) -> list[Pause]:
        asked = [Pause(PauseKind.ALL)]
        number = self._list.table.current
        job = None if number is None else await self._session.job(number)
        if job is not None:
            asked.append(Pause(PauseKind.ACTION, job.action))
            if "@" not in job.source:  # a run's own ends with it
                asked.append(Pause(PauseKind.SOURCE, job.source))
        return asked

    async def rerun(self) -> None:
        """Run an action again on its file, with its config to be edited."""
        number = self._list.table.current
        try:
            job = None if number is None else await self._session.job(number)
        except MediahostError as error:
            self._say(error)
            return
        if job is not None:
            config, path = job.parameters.get("config"), Path(url_to_path(job.media_url))
            self._screen.app.post_message(SubmitRequest(job.action or "", config, [path]))

    async def _is_meant(self, verb: str, *, at_once: bool) -> bool:
        """Whether to go on: one job may need no question, many always do."""
        table = self._list.table
        if table.all_marked:
            what = f"all {len(table.rows):,} jobs"
            details = f"Filter: {self._list.wanted.text or '-'}"
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
        return await self._screen.app.push_screen_wait(question) is True

    def _begin(self, done: str, steer: Steer, then: Callable[[], object] | None = None) -> None:
        """Let it be done while the next keys are heard."""
        self._screen.run_worker(self._steer(done, steer, then), group="steer")

    async def _steer(self, done: str, steer: Steer, then: Callable[[], object] | None) -> None:
        table = self._list.table
        numbers: list[int] | None = None
        if not table.all_marked:
            numbers = sorted(table.marked) or ([] if table.current is None else [table.current])
        try:
            concerned = await steer(self._list.wanted, numbers)
        except MediahostError as error:
            self._say(error)
            return
        jobs = "1 job" if concerned == 1 else f"{concerned:,} jobs"
        said = f"{jobs} {done}" if concerned else "No such job can be: nothing was done"
        self._screen.notify(said)
        table.clear_marks()
        if then is not None:
            then()

    def _say(self, error: MediahostError) -> None:
        self._screen.notify(f"{error.message}. {error.hint or ''}", severity="error", markup=False)
