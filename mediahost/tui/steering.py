"""Steering jobs: cancel, try again, delete, pause, run again, each after a question if need be."""

from pathlib import Path
from typing import NamedTuple

from textual.screen import Screen

from mediahost.errors import MediahostError
from mediahost.model.job import JobStatus
from mediahost.model.job_filter import JobFilter
from mediahost.model.paths import url_to_path
from mediahost.model.pause import Pause, PauseKind
from mediahost.tui.confirm import Confirm
from mediahost.tui.job_list import JobList
from mediahost.tui.news import PausesChanged
from mediahost.tui.pausing import PauseQuestion
from mediahost.tui.session import Session, Steer
from mediahost.tui.submit_request import SubmitRequest


class Meant(NamedTuple):
    """What a key is to do to jobs.

    Attributes:
        done: What has become of them then.
        steer: Does it.
        otherwise: Why it may concern none of them.
        relists: The list is another one then.
        keeps_marks: It may well be done to the same jobs again, and is as easily undone.
        is_seen: The line of a job says it: nobody needs to be told of one.
    """

    done: str
    steer: Steer
    otherwise: str
    relists: bool = False
    keeps_marks: bool = False
    is_seen: bool = False


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
        meant = Meant("cancelled", self._session.cancel, "what has ended stays as it is")
        await self._ask("Cancel", meant, at_once=is_pending)

    async def retry(self) -> None:
        """Try failed and cancelled jobs again."""
        meant = Meant("pending again", self._session.retry, "only what failed or was cancelled can")
        await self._ask("Try again", meant, at_once=True)

    async def delete(self) -> None:
        """Delete jobs; their results stay."""
        meant = Meant("deleted", self._session.delete, "cancel first what runs", relists=True)
        await self._ask("Delete", meant, at_once=False)

    async def move(self, *, up: bool) -> None:
        """Raise or lower the priority of pending jobs by one step."""
        way = "up" if up else "down"
        steer = self._session.move_up if up else self._session.move_down
        otherwise = "only pending jobs wait for their turn"
        is_seen = self._list.table.shows_notes
        meant = Meant(f"moved {way}", steer, otherwise, keeps_marks=True, is_seen=is_seen)
        await self._ask(f"Move {way}", meant, at_once=True)

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
            if job.action is not None:
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
            config, path = job.config, Path(url_to_path(job.media_url))
            self._screen.app.post_message(SubmitRequest(job.action or "", config, [path]))

    async def _ask(self, verb: str, meant: Meant, *, at_once: bool) -> None:
        """Do it to those that are chosen now, whatever comes in while it is asked whether to."""
        table, wanted = self._list.table, self._list.wanted
        numbers: list[int] | None = sorted(table.marked)
        details = ""
        if table.all_marked:
            what, details = f"all {len(table.rows):,} jobs", f"Filter: {wanted.text or 'none'}"
            numbers = None
        elif numbers:
            what = f"{len(numbers):,} marked jobs"
        elif (number := table.current) is not None:
            what, numbers, line = f"job {number}", [number], table.current_line
            details = "" if line is None else f"{line.status} {line.action}\n{line.media_url}"
        else:
            return
        is_marked = bool(table.marked) and not meant.keeps_marks
        if not at_once or table.all_marked or is_marked:
            question = Confirm(f"{verb} {what}?", details, verb)
            if await self._screen.app.push_screen_wait(question) is not True:
                return
        # Done while the next keys are heard.
        asked = len(table.rows) if numbers is None else len(numbers)
        self._screen.run_worker(self._steer(meant, wanted, numbers, asked), group="steer")

    async def _steer(
        self, meant: Meant, wanted: JobFilter, numbers: list[int] | None, asked: int
    ) -> None:
        try:
            concerned = await meant.steer(wanted, numbers)
        except MediahostError as error:
            self._say(error)
            return
        if not concerned:
            self._screen.notify(f"Nothing was done: {meant.otherwise}")
        elif asked > 1 or not meant.is_seen:
            some = f" of {asked:,}" if concerned < asked else ""
            jobs = "job" if concerned == asked == 1 else "jobs"
            self._screen.notify(f"{concerned:,}{some} {jobs} {meant.done}")
        if not meant.keeps_marks:
            self._list.table.clear_marks()
        if meant.relists:
            self._list.relist()

    def _say(self, error: MediahostError) -> None:
        self._screen.notify(f"{error.message}. {error.hint or ''}", severity="error", markup=False)
