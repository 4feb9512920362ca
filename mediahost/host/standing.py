"""Standing orders: a recipe kept up for files that come one by one, as a watch needs it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from mediahost.errors import Unavailable
from mediahost.hashing import CacheKey
from mediahost.host.files import Candidate, FileHashes
from mediahost.host.found import FoundFile, Problem
from mediahost.host.planner import Planned, Planner, Recipe, State, request_for
from mediahost.model.job import JobRequest, JobStatus
from mediahost.model.pipeline import Pipeline
from mediahost.ports import Store


@dataclass
class Standing:
    """Where a recipe stands on one file.

    Attributes:
        root: The file.
        rows: Its steps.
        jobs: The jobs that work on it, by key.
        failed: Why steps gave no result, by their names.
        is_held: More is to do than may be submitted now.
    """

    root: Candidate
    pipeline: Pipeline
    rows: list[Planned] = field(default_factory=list)
    jobs: dict[CacheKey, UUID] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    is_held: bool = False

    @property
    def skipped(self) -> set[str]:
        """The steps that may be missing: optional ones that failed, and what needs them."""
        return self.pipeline.skipped(self.failed)

    @property
    def errors(self) -> list[str]:
        """Why steps gave no result that are needed."""
        skipped = self.skipped
        return [error for step, error in self.failed.items() if step not in skipped]

    @property
    def is_done(self) -> bool:
        """Whether all that can be had is there."""
        skipped = self.skipped
        return all(row.state is State.CACHED or row.step.name in skipped for row in self.rows)

    @property
    def notes(self) -> list[str]:
        """What is less than was asked for, though the file is done."""
        skipped = self.skipped
        notes = [
            f"skipped {step}: {error.partition(chr(10))[0].removeprefix(f'{step}: ')}"
            for step, error in self.failed.items()
            if step in skipped
        ]
        return [*notes, f"incomplete: {self.missing}"] if self.missing else notes

    @property
    def missing(self) -> str:
        """What results lack, in one line; empty: all are complete."""
        lacking = (
            f"{row.step.name}: {row.hit.missing}"
            for row in self.rows
            if row.hit and row.hit.missing
        )
        return "; ".join(lacking)


class StandingOrder:
    """Has a recipe's jobs done for whatever files are handed in, again and again.

    The results in the store say where a file stands, not what was heard of its jobs: whoever asks
    after a kill gets the same answer.
    """

    def __init__(
        self,
        store: Store,
        planner: Planner,
        files: FileHashes,
        recipe: Recipe,
        *,
        source: str,
        priority: int = 0,
        runs_here: bool = True,
    ) -> None:
        self._store = store
        self._planner = planner
        self._files = files
        self.recipe = recipe
        self.source = source
        self._priority = priority
        self._runs_here = runs_here

    def hashed(
        self, found: Collection[FoundFile], problems: list[Problem], anew: Collection[str] = ()
    ) -> list[Candidate]:
        """The files with their hashes; those in `anew` are read even if they look unchanged."""
        return self._files.of_found(found, problems, anew=anew)

    def preflight(self) -> dict[str, Unavailable]:
        """What optional steps need and is not here now, by their names.

        Raises:
            Unavailable: A step that is not optional lacks something.
        """
        missing = self.recipe.missing_needs() if self._runs_here else {}
        self.recipe.refuse_without(missing)
        return missing

    def is_optional(self, action: str) -> bool:
        """Whether every step of this action may be skipped."""
        steps = [step for step in self.recipe.steps if step.action == action]
        return bool(steps) and all(step.optional for step in steps)

    def look(self, roots: Sequence[Candidate]) -> dict[str, Standing]:
        """Where the recipe stands on these files, by path. Nothing is submitted."""
        standings = {root.path: Standing(root, self.recipe.pipeline) for root in roots}
        for recipe, group in self._planner.recipes_for(self.recipe, roots):
            for row in self._planner.evaluate(recipe, group):
                standings[row.root.path].rows.append(row)
        return standings

    def further(
        self,
        roots: Sequence[Candidate],
        ended: Mapping[str, Mapping[CacheKey, str]] | None = None,
        most: int | None = None,
    ) -> dict[str, Standing]:
        """Submit what these files still need, and say where they stand then.

        Args:
            roots: The files.
            ended: Keys that gave no result, and why, by path: they are not asked for again.

            most: Submit so many jobs at most; None: all.

        Raises:
            Unavailable: A step that is not optional lacks something. Nothing is submitted.
        """
        ended = ended or {}
        standings = {root.path: Standing(root, self.recipe.pipeline) for root in roots}
        lacking = self.preflight()
        requests: dict[CacheKey, JobRequest] = {}
        askers: list[tuple[Standing, CacheKey]] = []
        for recipe, group in self._planner.recipes_for(self.recipe, roots):
            for row in self._planner.evaluate(recipe, group):
                standing = standings[row.root.path]
                standing.rows.append(row)
                if row.state is not State.MISSING or row.key is None:
                    continue
                if (error := ended.get(row.root.path, {}).get(row.key)) is not None:
                    standing.failed[row.step.name] = error
                    continue
                if (lack := lacking.get(row.step.name)) is not None:
                    standing.failed[row.step.name] = lack.message
                    continue
                if row.key not in requests and most is not None and len(requests) >= most:
                    standing.is_held = True
                    continue
                if row.key not in requests:
                    requests[row.key] = request_for(recipe, row, self.source, self._priority)
                askers.append((standing, row.key))
        jobs = dict(zip(requests, self._store.submit(list(requests.values())), strict=True))
        for standing, key in askers:
            standing.jobs[key] = jobs[key]
        self._withdraw_computed(requests, jobs)
        return standings

    def _withdraw_computed(
        self, requests: Mapping[CacheKey, JobRequest], jobs: Mapping[CacheKey, UUID]
    ) -> None:
        """Take back jobs whose results another host committed between our look and our submit.

        Their files are looked at again when the jobs are final, as those of all jobs are.
        """
        own = [key for key in requests if jobs[key] == requests[key].job_id]
        if not own:
            return
        hits = self._store.find_hits(own)
        lost = {key for key, hit in hits.items() if hit.artifacts}
        needless = [jobs[key] for key in hits if key not in lost]
        if needless:
            statuses = self._store.request_cancel(needless)
            cancelled = [one for one, status in statuses.items() if status is JobStatus.CANCELLED]
            self._store.delete_jobs(cancelled)
