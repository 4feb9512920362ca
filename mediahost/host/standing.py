"""Standing orders: a recipe kept up for files that come one by one, as a watch needs it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from mediahost.hashing import CacheKey
from mediahost.host.files import Candidate, FileHashes
from mediahost.host.found import FoundFile, Problem
from mediahost.host.planner import Planned, Planner, Recipe, State, request_for
from mediahost.model.job import JobRequest, JobStatus
from mediahost.ports import Store


@dataclass
class Standing:
    """Where a recipe stands on one file.

    Attributes:
        root: The file.
        rows: Its steps.
        jobs: The jobs that work on it, by key.
        errors: Why steps gave no result, by key.
    """

    root: Candidate
    rows: list[Planned] = field(default_factory=list)
    jobs: dict[CacheKey, UUID] = field(default_factory=dict)
    errors: dict[CacheKey, str] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether all that can be had is there."""
        return all(row.state is State.CACHED for row in self.rows)

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
    ) -> None:
        self._store = store
        self._planner = planner
        self._files = files
        self.recipe = recipe
        self.source = source
        self._priority = priority

    def hashed(
        self, found: Collection[FoundFile], problems: list[Problem], anew: Collection[str] = ()
    ) -> list[Candidate]:
        """The files with their hashes; those in `anew` are read even if they look unchanged."""
        return self._files.of_found(found, problems, anew=anew)

    def look(self, roots: Sequence[Candidate]) -> dict[str, Standing]:
        """Where the recipe stands on these files, by path. Nothing is submitted."""
        standings = {root.path: Standing(root) for root in roots}
        for recipe, group in self._planner.recipes_for(self.recipe, roots):
            for row in self._planner.evaluate(recipe, group):
                standings[row.root.path].rows.append(row)
        return standings

    def further(
        self,
        roots: Sequence[Candidate],
        ended: Mapping[str, Mapping[CacheKey, str]] | None = None,
    ) -> dict[str, Standing]:
        """Submit what these files still need, and say where they stand then.

        Args:
            roots: The files.
            ended: Keys that gave no result, and why, by path: they are not asked for again.
        """
        ended = ended or {}
        standings = {root.path: Standing(root) for root in roots}
        requests: dict[CacheKey, JobRequest] = {}
        askers: list[tuple[Standing, CacheKey]] = []
        for recipe, group in self._planner.recipes_for(self.recipe, roots):
            for row in self._planner.evaluate(recipe, group):
                standing = standings[row.root.path]
                standing.rows.append(row)
                if row.state is not State.MISSING or row.key is None:
                    continue
                if (error := ended.get(row.root.path, {}).get(row.key)) is not None:
                    standing.errors[row.key] = error
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
