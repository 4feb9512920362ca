"""A run: what a person asked for on some files, from the plan to the summary."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from mediahost.cached import Hit
from mediahost.hashing import CacheKey
from mediahost.host.dispatch import Dispatcher
from mediahost.host.files import Candidate
from mediahost.host.found import Problem
from mediahost.host.planner import Planned, Planner, Recipe, State, request_for
from mediahost.host.telling import Listener
from mediahost.model.event import Event, EventKind
from mediahost.model.job import ClaimedJob, JobRequest, JobStatus, Outcome
from mediahost.model.paths import path_to_url, url_to_path
from mediahost.ports import Store

EVERY_JOB = 1 << 31


class RowState(StrEnum):
    """How a step on a file ended in a run."""

    DONE = "done"
    CACHED = "cached"
    FAILED = "failed"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    UNAVAILABLE = "unavailable"
    TO_DO = "to do"


@dataclass(frozen=True, slots=True)
class RunRow:
    """One step on one media file, at the end of a run.

    Attributes:
        state: done by this run, cached, failed, cancelled, blocked by a failed step before it,
            skipped for it is optional, unavailable for the action needs something that is missing,
            or still to do (a dry run).
        action: Name of the action.
        step: Name of the step.
        media_url: The media file, as text.
        root_url: The file that the recipe was started on; `media_url` may be made from it.
        key: Cache key, or None for what was blocked.
        job_id: The job, if there was one.
        elapsed_ms: How long the computing took, now or when it was cached.
        error: Why it failed: a sentence, and a hint on a second line.
        artifacts: Paths of the files that it made.
        artifact_hashes: Their hashes; none: those that they have now.
        incomplete: What its result lacks, in one line; None: nothing, or there is no result.
    """

    state: RowState
    action: str
    step: str
    media_url: str
    root_url: str
    key: CacheKey | None = None
    job_id: UUID | None = None
    elapsed_ms: int = 0
    error: str | None = None
    artifacts: tuple[str, ...] = ()
    artifact_hashes: tuple[str, ...] = ()
    incomplete: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "state": str(self.state),
            "action": self.action,
            "step": self.step,
            "media": self.media_url,
            "root": self.root_url,
            "file_hash": self.key and self.key.file_hash,
            "config_hash": self.key and self.key.config_hash,
            "job_id": self.job_id and str(self.job_id),
            "elapsed_ms": self.elapsed_ms,
            "error": self.error,
            "artifacts": [path_to_url(path) for path in self.artifacts],
            "incomplete": self.incomplete,
        }


@dataclass
class Summary:
    """What a run did.

    Attributes:
        rows: One for each step on each file.
        problems: Paths that could not be read or used.
        ignored: Files in the folders that are no media files.
        own: Files in the folder for outputs that the same actions made, and that are no sources.
        seconds: How long the run took.
        unlisted_files: Files that have no rows, since all that was asked for was cached and nobody
            wanted a list.
        unlisted: How many cached results those have.
        unlisted_saved_ms: What computing those took.
        lacking: By step what it needs and is not here, as it was found before the first job.
    """

    rows: list[RunRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: int = 0
    own: int = 0
    seconds: float = 0.0
    unlisted_files: int = 0
    unlisted: int = 0
    unlisted_saved_ms: int = 0
    lacking: Mapping[str, str] = field(default_factory=dict)

    def count(self, state: RowState) -> int:
        """How many steps on files ended so."""
        listed = sum(row.state is state for row in self.rows)
        return listed + self.unlisted if state is RowState.CACHED else listed

    @property
    def incomplete(self) -> int:
        """How many results lack something."""
        return sum(row.incomplete is not None for row in self.rows)

    @property
    def saved_ms(self) -> int:
        """What computing the cached results took when it was done."""
        listed = sum(row.elapsed_ms for row in self.rows if row.state is RowState.CACHED)
        return listed + self.unlisted_saved_ms

    def facts(self) -> dict[str, Any]:
        """The numbers, as plain values."""
        return {
            "counts": {str(state): self.count(state) for state in RowState},
            "problems": len(self.problems),
            "incomplete": self.incomplete,
            "seconds": self.seconds,
        }

    @property
    def all_good(self) -> bool:
        """Whether everything asked for is there."""
        good = {RowState.DONE, RowState.CACHED, RowState.TO_DO, RowState.SKIPPED}
        return not self.problems and all(row.state in good for row in self.rows)


class Run:
    """One recipe over some files, under a source of its own."""

    def __init__(
        self,
        store: Store,
        planner: Planner,
        recipes: Iterable[tuple[Recipe, Sequence[Candidate]]],
        *,
        source: str,
        force: bool,
    ) -> None:
        self._store = store
        self._planner = planner
        self._recipes = [(recipe, list(roots)) for recipe, roots in recipes]
        self._recipe_of = {
            root.path: (recipe, root) for recipe, roots in self._recipes for root in roots
        }
        self.source = source
        self._force = force
        self._computed: dict[CacheKey, UUID] = {}
        self._errors: dict[CacheKey, tuple[RowState, UUID | None, str]] = {}
        self._plan: list[tuple[Recipe, Planned]] = []
        # By step: what it needs and is not here, and the action that found that out.
        self._lacks: dict[str, str] = {}
        self._lacking_actions: dict[str, str] = {}

    def preflight(self, recipe: Recipe) -> Mapping[str, str]:
        """See that what the missing steps need is here, before the first job is begun.

        Returns:
            By step what is not; no job is made for it.
        """
        to_do = {row.step.name for _, row in self._plan if row.state is not State.CACHED}
        for name, error in recipe.missing_needs(to_do).items():
            self._lacks[name] = f"{error.message}\n{error.hint}" if error.hint else error.message
        return self._lacks

    def plan(self) -> None:
        """Look up where everything stands."""
        self._plan = [
            (recipe, row)
            for recipe, roots in self._recipes
            for row in self._planner.evaluate(recipe, roots, self._accepts)
        ]

    def _accepts(self, key: CacheKey) -> bool:
        return not self._force or key in self._computed

    def missing(self) -> dict[CacheKey, JobRequest]:
        """What jobs are needed for now; equal keys need one."""
        ended = self._ended
        return {
            row.key: request_for(recipe, row, self.source)
            for recipe, row in self._plan
            if row.state is State.MISSING and row.key and row.key not in ended
            if row.step.name not in self._lacks
        }

    def follow_ups(self, job: ClaimedJob, fresh: Mapping[CacheKey, Hit]) -> list[JobRequest]:
        """What can be done for the same file once the job and these results are committed."""
        root_url = job.request.root_url
        known = self._recipe_of.get(url_to_path(root_url)) if root_url else None
        if known is None or len(known[0].steps) == 1:
            return []
        recipe, root = known
        rows = self._planner.evaluate(recipe, [root], self._accepts, fresh)
        return [
            request_for(recipe, row, self.source, job.request.priority)
            for row in rows
            if row.state is State.MISSING and job.request.step in row.step.needs
            if row.step.name not in self._lacks
        ]

    @property
    def _ended(self) -> set[CacheKey]:
        return self._computed.keys() | self._errors.keys()

    def execute(self, dispatcher: Dispatcher, listener: Listener) -> None:
        """Submit and run until nothing is missing that can be had."""

        def learn(event: Event) -> None:
            self._learn(event)
            listener(event)

        while missing := self.missing():
            requests = list(missing.values())
            jobs = dict(zip(missing, self._store.submit(requests), strict=True))
            if self._withdraw_computed(missing, jobs):
                continue
            for request in requests:
                learn(_submitted(request))
            others = [jobs[key] for key in missing if jobs[key] != missing[key].job_id]
            dispatcher.run(learn, source=self.source, wait_for=others)
            # Another run may have taken over some of ours; of those there was no event either.
            unheard = {key: job_id for key, job_id in jobs.items() if key not in self._ended}
            if unheard:
                dispatcher.run(learn, source=self.source, wait_for=unheard.values())
                self._learn_of_unheard(unheard)
            self._learn_of_cancelled()
            self.plan()

    def _withdraw_computed(
        self, requests: Mapping[CacheKey, JobRequest], jobs: Mapping[CacheKey, UUID]
    ) -> bool:
        """Take back jobs whose results came from another run between our look and our submit.

        From the submit on a key has one job, so looking once more is enough.
        """
        if self._force or not self._store.find_hits(jobs):
            return False
        self.plan()
        needless = requests.keys() - self.missing().keys()
        own = [jobs[key] for key in needless if jobs[key] == requests[key].job_id]
        statuses = self._store.request_cancel(own)
        self._store.delete_jobs(
            [job_id for job_id, status in statuses.items() if status is JobStatus.CANCELLED]
        )
        return bool(needless)

    def _learn(self, event: Event) -> None:
        key = CacheKey(*event.details["key"])
        if event.kind is EventKind.COMPLETED and event.job_id:
            self._computed[key] = event.job_id
        elif event.kind is EventKind.FAILED:
            hint = event.details.get("hint")
            error = f"{event.message}\n{hint}" if hint else event.message
            lacks = event.details.get("outcome") == Outcome.UNAVAILABLE
            state = RowState.UNAVAILABLE if lacks else RowState.FAILED
            self._errors[key] = (state, event.job_id, error)
            if lacks and event.action not in self._lacking_actions:
                self._give_up(event.action, error)
        elif event.kind is EventKind.CANCELLED:
            self._errors[key] = (RowState.CANCELLED, event.job_id, event.message)

    def _give_up(self, action: str, error: str) -> None:
        """Every other file would meet the same: their jobs are taken back, and one is told of."""
        self._lacking_actions[action] = error
        pending = self._store.jobs(
            statuses={JobStatus.PENDING}, source=self.source, limit=EVERY_JOB
        )
        jobs = [job for job in pending if job.action == action]
        self._store.request_cancel([job.job_id for job in jobs])
        for job in jobs:
            key = CacheKey(job.file_hash or "", job.config_hash or "")
            self._errors.setdefault(key, (RowState.UNAVAILABLE, job.job_id, error))

    def _learn_of_unheard(self, unheard: Mapping[CacheKey, UUID]) -> None:
        """How jobs ended that another host ran, or that a person cancelled or deleted."""
        jobs = self._store.get_jobs(unheard.values())
        for key, job_id in unheard.items():
            job = jobs.get(job_id)
            if job is None:
                self._errors.setdefault(key, (RowState.CANCELLED, None, "Its job was deleted"))
            elif job.status is JobStatus.COMPLETED:
                self._computed.setdefault(key, job_id)
            elif job.status is JobStatus.FAILED:
                self._errors.setdefault(key, (RowState.FAILED, job_id, job.error or ""))
            else:
                self._errors.setdefault(key, (RowState.CANCELLED, job_id, "Cancelled"))

    def _learn_of_cancelled(self) -> None:
        """Follow-ups that a person cancelled while they were pending; there is no event of that."""
        cancelled = self._store.jobs(
            statuses={JobStatus.CANCELLED}, source=self.source, limit=EVERY_JOB
        )
        for job in cancelled:
            if job.key:
                self._errors.setdefault(
                    CacheKey(*job.key), (RowState.CANCELLED, job.job_id, "Cancelled")
                )

    def rows(self) -> list[RunRow]:
        """How each step on each file stands at the end, in the order of the files."""
        counted: set[CacheKey] = set()
        rows = [self._row(recipe, row, counted) for recipe, row in self._plan]
        order = {path: index for index, path in enumerate(self._recipe_of)}
        positions = [order[row.root.path] for _, row in self._plan]
        rows = self._with_skipped(rows)
        by_file = sorted(range(len(rows)), key=positions.__getitem__)
        return [rows[index] for index in by_file]

    def _with_skipped(self, rows: list[RunRow]) -> list[RunRow]:
        """Steps that are optional, and those that need them, fail no run."""
        recipes = [recipe for recipe, _ in self._plan]
        if not any(step.optional for recipe in set(recipes) for step in recipe.steps):
            return rows
        failed: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            if row.state in (RowState.FAILED, RowState.UNAVAILABLE):
                failed[row.root_url].add(row.step)
        return [
            replace(row, state=RowState.SKIPPED)
            if row.state in (RowState.FAILED, RowState.UNAVAILABLE, RowState.BLOCKED)
            and row.step in recipe.pipeline.skipped(failed[row.root_url])
            else row
            for recipe, row in zip(recipes, rows, strict=True)
        ]

    def _row(self, recipe: Recipe, row: Planned, counted: set[CacheKey]) -> RunRow:
        root = path_to_url(row.root.path)
        media = path_to_url(row.media.path) if row.media else root
        at = partial(
            RunRow,
            action=row.step.action,
            step=row.step.name,
            media_url=media,
            root_url=root,
            key=row.key,
        )
        if row.hit and row.key:
            # The same bytes twice in a folder: one was computed, the other is a hit.
            first = row.key in self._computed and row.key not in counted
            counted.add(row.key)
            return at(
                RowState.DONE if first else RowState.CACHED,
                job_id=self._computed.get(row.key),
                elapsed_ms=row.hit.elapsed_ms,
                artifacts=tuple(path for path, _ in row.hit.artifacts),
                artifact_hashes=tuple(file_hash for _, file_hash in row.hit.artifacts),
                incomplete=row.hit.missing or None,
            )
        if row.key in self._errors:
            state, job_id, error = self._errors[row.key]
            return at(state, job_id=job_id, error=error)
        if row.key in self._computed:
            error = "Its artifacts were removed or changed as soon as they were made"
            return at(RowState.FAILED, job_id=self._computed[row.key], error=error)
        if row.step.name in self._lacks:
            return at(RowState.UNAVAILABLE, error=self._lacks[row.step.name])
        if row.state is State.MISSING:
            return at(RowState.TO_DO)
        return at(RowState.BLOCKED, error=_why_blocked(recipe, row))


def _why_blocked(recipe: Recipe, row: Planned) -> str:
    needs = " and ".join(recipe.pipeline.step(row.step.name).needs)
    return f"It needs {needs}, which gave no result"


def _submitted(request: JobRequest) -> Event:
    key = [request.media.file_hash, request.config_hash]
    url = request.media.source
    return Event(EventKind.SUBMITTED, request.action, url, request.job_id, details={"key": key})
