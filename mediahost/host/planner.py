"""The planner: which steps a file still needs, and under which keys."""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from mediahost.cached import Hit
from mediahost.errors import InvalidPipeline, Unavailable
from mediahost.hashing import Algorithm, CacheKey, canonical, config_hash, hash_bytes
from mediahost.host.files import Candidate, FileHashes
from mediahost.model.job import JobRequest
from mediahost.model.kinds import MediaKind, kind_of
from mediahost.model.pipeline import Pipeline, Step
from mediahost.plugin.action import Action
from mediahost.plugin.registry import Registry
from mediahost.ports import Store

Accept = Callable[[CacheKey], bool]


def any_key(_key: CacheKey) -> bool:
    """Take every cached result."""
    return True


log = logging.getLogger(__name__)


class State(StrEnum):
    """Where a step on a file stands."""

    CACHED = "cached"
    MISSING = "missing"
    BLOCKED = "blocked"


@dataclass(slots=True)
class Planned:
    """One step on one media file.

    Attributes:
        step: The step.
        media: What it works on: the root, or what an earlier step made of it.
        root: The file that the pipeline was started on.
        origin: What made `media`, if it is not the root.
        state: cached, missing (a job is needed), or blocked (what it follows isn't there yet).
        key: Its cache key; None while it is blocked.
        hit: The cached result, if there is one.
        inputs: Keys of the results that it gets, by step.
        lost_artifacts: The cached result can't be used because files of it are gone or changed.
    """

    step: Step
    media: Candidate | None
    root: Candidate
    origin: "Planned | None" = None
    state: State = State.BLOCKED
    key: CacheKey | None = None
    hit: Hit | None = None
    inputs: Mapping[str, CacheKey] = field(default_factory=dict)
    lost_artifacts: bool = False


class Recipe:
    """A pipeline whose actions are known and whose config is checked."""

    def __init__(self, pipeline: Pipeline, registry: Registry, *, named: bool = True) -> None:
        self.pipeline = pipeline
        self.name = pipeline.name if named else None
        self.steps = tuple(pipeline.ordered())
        self.actions: dict[str, Action] = {
            step.name: registry.action(step.action).configured(step.config) for step in self.steps
        }
        self.configs: dict[str, dict[str, Any]] = {
            name: action.public_config() for name, action in self.actions.items()
        }
        self._kinds = frozenset(
            kind for step in self.steps if step.media is None for kind in self.accepts(step)
        )
        self._config_hashes: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}

    def missing_needs(self, steps: Collection[str] | None = None) -> dict[str, Unavailable]:
        """What steps need and is not here, by their names.

        Args:
            steps: Only these; None: all.
        """
        missing: dict[str, Unavailable] = {}
        for name, action in self.actions.items():
            if steps is None or name in steps:
                try:
                    action.preflight()
                except Unavailable as error:
                    missing[name] = error
                except Exception:
                    log.exception("What %s needs could not be looked for", name)
        return missing

    def refuse_without(self, missing: Mapping[str, Unavailable]) -> None:
        """Stop where a step that is not optional lacks what it needs.

        Raises:
            Unavailable: What the first of them needs.
        """
        skipped = self.pipeline.skipped(missing)
        for name, error in missing.items():
            if name not in skipped:
                raise Unavailable(f"{name} can't run: {error.message}", error.hint)

    def accepts(self, step: Step) -> frozenset[MediaKind]:
        """The kinds of media file that the step's action works on."""
        return self.actions[step.name].info.accepts

    @property
    def kinds(self) -> frozenset[MediaKind]:
        """The kinds of media file that any step works on themselves."""
        return self._kinds

    def accepts_kind(self, kind: MediaKind) -> bool:
        """Whether any step works on files of this kind themselves."""
        return kind in self._kinds

    @cached_property
    def fingerprint(self) -> str:
        """The same for recipes that do the same: names the steps, their actions and configs."""
        steps = [
            # What a recipe gives is the same whether or not a step may be missing.
            [step.model_dump(mode="json", exclude={"config", "optional"}), self.configs[step.name]]
            for step in self.steps
        ]
        versions = [self.actions[step.name].info.version for step in self.steps]
        return hash_bytes(canonical([steps, versions]))

    def config_hash(
        self, step: Step, inputs: tuple[tuple[str, str], ...], algorithm: Algorithm
    ) -> str:
        """The hash of the step's action, config and the results that it gets (step, hash)."""
        known = self._config_hashes.get((step.name, inputs))
        if known is None:
            info = self.actions[step.name].info
            config = self.configs[step.name]
            known = config_hash(info.name, info.version, config, dict(inputs), algorithm)
            self._config_hashes[step.name, inputs] = known
        return known


class Planner:
    """Evaluates recipes over files against what the store knows, in bulk."""

    def __init__(self, store: Store, registry: Registry, files: FileHashes) -> None:
        self._store = store
        self._registry = registry
        self._files = files

    def recipe(self, pipeline: Pipeline, *, named: bool = True) -> Recipe:
        """Check a pipeline's actions and config.

        Raises:
            UnknownName: An action that no plugin registers.
            InvalidConfig: A config that doesn't fit.
        """
        return Recipe(pipeline, self._registry, named=named)

    def recipes_for(
        self, recipe: Recipe, roots: Sequence[Candidate]
    ) -> Iterator[tuple[Recipe, list[Candidate]]]:
        """The recipe for each file, after plugins had their say (`mediahost_plan_jobs`)."""
        planners = self._registry.calls.callers("mediahost_plan_jobs")
        if not planners:
            yield recipe, list(roots)
            return
        groups: dict[str, list[Candidate]] = defaultdict(list)
        edited: dict[str, tuple[Step, ...]] = {}
        for root in roots:
            proposed = self._registry.calls.edited(
                "mediahost_plan_jobs", "proposed", recipe.pipeline.steps, media=root.media_file()
            )
            # Steps hold dicts, so they can't be keys themselves; their text can.
            if proposed:
                edited[repr(proposed)] = tuple(proposed)
                groups[repr(proposed)].append(root)
        for text, group in groups.items():
            yield self._edited(recipe, edited[text]), group

    def _edited(self, recipe: Recipe, steps: tuple[Step, ...]) -> Recipe:
        if steps == recipe.pipeline.steps:
            return recipe
        try:
            pipeline = Pipeline(name=recipe.pipeline.name, steps=steps)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise InvalidPipeline(f"A plugin made a pipeline that can't be run: {reason}") from None
        return Recipe(pipeline, self._registry, named=recipe.name is not None)

    def evaluate(
        self,
        recipe: Recipe,
        roots: Iterable[Candidate],
        accept: Accept = any_key,
        fresh: Mapping[CacheKey, Hit] | None = None,
    ) -> list[Planned]:
        """Where each step stands on each file.

        Args:
            recipe: The steps.
            roots: The files to start them on.
            accept: Which cached results may be used; the others are computed again.
            fresh: Results that are about to be committed; they count as cached.

        Returns:
            A row for each step on each file that it works on; steps on the artifacts of a step
            that has no result yet are one blocked row.
        """
        roots = list(roots)
        done: dict[str, _StepRows] = {}
        for step in recipe.steps:
            rows = [
                row for row in _rows(recipe, step, roots, done) if self._find_key(recipe, row, done)
            ]
            self._find_hits([row for row in rows if row.key], accept, fresh or {})
            done[step.name] = _StepRows(rows)
        return [row for step in recipe.pipeline.steps for row in done[step.name].rows]

    def _find_key(self, recipe: Recipe, row: Planned, done: Mapping[str, "_StepRows"]) -> bool:
        """Give the row its key if all that it follows is there.

        Returns:
            Whether the row has a place at all: a step that it follows may not work on such files.
        """
        if row.media is None:
            return True
        inputs: dict[str, Hit] = {}
        for need in row.step.after:
            given = done[need].within_reach_of(row)
            if given is None:
                return False
            if given.hit is None:
                return True
            inputs[need] = given.hit
        hashes = tuple((name, hit.result_hash) for name, hit in inputs.items())
        config = recipe.config_hash(row.step, hashes, self._store.algorithm)
        row.key = CacheKey(row.media.file_hash, config)
        row.inputs = {name: hit.key for name, hit in inputs.items()}
        row.state = State.MISSING
        return True

    def _find_hits(
        self, rows: Sequence[Planned], accept: Accept, fresh: Mapping[CacheKey, Hit]
    ) -> None:
        wanted = {row.key for row in rows if row.key and row.key not in fresh and accept(row.key)}
        hits = {**self._store.find_hits(wanted), **fresh}
        intact = self._intact([hit for key, hit in hits.items() if key in wanted])
        for row in rows:
            hit = hits.get(row.key) if row.key else None
            if hit is None:
                continue
            if hit.key in fresh or hit.key in intact:
                row.hit, row.state = hit, State.CACHED
            else:
                row.lost_artifacts = True

    def _intact(self, hits: Collection[Hit]) -> set[CacheKey]:
        """Keys of the hits all of whose artifacts are there unchanged."""
        expected = {path: file_hash for hit in hits for path, file_hash in hit.artifacts}
        there = self._files.unchanged(expected) if expected else set()
        return {hit.key for hit in hits if all(path in there for path, _ in hit.artifacts)}


class _StepRows:
    """The rows of one step, to be found by what they work on."""

    def __init__(self, rows: Sequence[Planned]) -> None:
        self.rows = rows

    @cached_property
    def _by_media(self) -> dict[tuple[str, Candidate | None], Planned]:
        # Only where a step follows this one is it looked at.
        return {(row.root.path, row.media): row for row in self.rows}

    def within_reach_of(self, row: Planned) -> Planned | None:
        """The row for the same media file, or for one that it was made from."""
        at: Planned | None = row
        while at is not None:
            if found := self._by_media.get((row.root.path, at.media)):
                return found
            at = at.origin
        return None


def _rows(
    recipe: Recipe, step: Step, roots: Iterable[Candidate], done: Mapping[str, _StepRows]
) -> Iterator[Planned]:
    """A row for each file that the step works on, without its key."""
    accepted = recipe.accepts(step)
    if step.media is None:
        for root in roots:
            if root.kind in accepted:
                yield Planned(step, root, root)
        return
    for maker in done[step.media].rows:
        if maker.hit is None:
            yield Planned(step, None, maker.root, maker)
            continue
        for path, file_hash in maker.hit.artifacts:
            kind = kind_of(path)
            if kind and kind in accepted:
                yield Planned(step, Candidate(path, kind, file_hash), maker.root, maker)


def request_for(recipe: Recipe, row: Planned, source: str, priority: int = 0) -> JobRequest:
    """The job that a missing row asks for."""
    if row.media is None or row.key is None:
        raise ValueError(f"step {row.step.name} is blocked: there is nothing to ask for")
    info = recipe.actions[row.step.name].info
    return JobRequest(
        action=info.name,
        action_version=info.version,
        config=recipe.configs[row.step.name],
        media=row.media.media_file(),
        config_hash=row.key.config_hash,
        inputs=dict(row.inputs),
        pipeline=recipe.name,
        step=row.step.name,
        root_url=row.root.source,
        source=source,
        priority=priority,
    )
