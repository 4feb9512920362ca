"""The host: the object that joins it all."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import UUID

from mediahost import __version__
from mediahost.cached import Hit
from mediahost.errors import (
    InvalidConfig,
    InvalidMedia,
    MediahostError,
    StoreError,
    UsageError,
)
from mediahost.hashing import CacheKey
from mediahost.host.announce import Announcer
from mediahost.host.artifacts import ArtifactFolder
from mediahost.host.attempts import Attempts, Limits
from mediahost.host.constant import is_constant
from mediahost.host.dispatch import Dispatcher
from mediahost.host.explain import Explanation, explain
from mediahost.host.files import Candidate, FileHashes
from mediahost.host.found import FoundFile, Problem
from mediahost.host.identity import new_host_name, new_source_name
from mediahost.host.inputs import Inputs, OnFetching, sort_out
from mediahost.host.known import Known, known_of
from mediahost.host.lineage import Lineage, lineage_of
from mediahost.host.naming import top_of
from mediahost.host.own_outputs import own_outputs
from mediahost.host.planner import Planner, Recipe, State, request_for
from mediahost.host.presence import Presence
from mediahost.host.publish import Publisher
from mediahost.host.roster import Roster
from mediahost.host.run import RowState, Run, Summary
from mediahost.host.schedule import Limit, Schedule
from mediahost.host.standing import StandingOrder
from mediahost.host.telling import Listener
from mediahost.host.unchanged import Asked, Sifted, Unchanged, asked_of
from mediahost.host.walk import Walk, walk
from mediahost.model.event import Event, EventKind
from mediahost.model.hosts import Heartbeat, HostStatus
from mediahost.model.job import ClaimedJob, JobRequest
from mediahost.model.paths import display, is_remote, path_to_url, url_to_path
from mediahost.model.pipeline import Pipeline, Step
from mediahost.plugin.registry import Registry
from mediahost.ports import Clock, Executor, RemoteFiles, Store, StoredResult
from mediahost.settings import Settings

log = logging.getLogger(__name__)

AnyPath = str | os.PathLike[str]
OnHashed = Callable[[int, int], None]
OnLacking = Callable[[str, str], None]


def _deaf(_event: Event) -> None:
    pass


def _deaf_to_hashes(_done: int, _total: int) -> None:
    pass


def _deaf_to_lacks(_step: str, _lack: str) -> None:
    pass


def _deaf_to_fetches(_url: str, _size: int | None, _whole: int | None) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of what was submitted.

    Attributes:
        jobs: Those that will answer, one for each missing step that can be done now.
        cached: How many steps need none.
        problems: Paths that could not be read or used.
    """

    jobs: tuple[UUID, ...]
    cached: int
    problems: tuple[Problem, ...]


class Host:
    """What the command line, the TUI and a watch call.

    Use it as a context manager: it stops its executor and closes its store at the end.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        registry: Registry,
        make_executor: Callable[[], Executor],
        clock: Clock,
        *,
        remote: RemoteFiles | None = None,
    ) -> None:
        self.settings = settings
        self.store = store
        self.registry = registry
        self.name = new_host_name()
        self.roster = Roster(store, settings.data_dir, settings.lease_s)
        self._presence = Presence(self.name, store, settings.data_dir, self._heartbeat)
        self._make_executor = make_executor
        self._files = FileHashes(store, clock, settings.workers)
        self._inputs = Inputs(remote, store.algorithm)
        self._planner = Planner(store, registry, self._files)
        self._artifacts = ArtifactFolder(settings.data_dir, self.name)
        self._announcer = Announcer(registry, settings.plugins)
        self._dispatcher: Dispatcher | None = None
        self._runs: dict[str, Run] = {}
        self._draining = False
        self._interrupted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the executor, close the store."""
        if self._dispatcher:
            self._dispatcher.close()
            self._artifacts.close()
        self._presence.end()
        self._announcer.stop()
        self.store.close()

    # --- running -------------------------------------------------------------------------------

    def recipe(self, pipeline: Pipeline, *, named: bool = True) -> Recipe:
        """A pipeline with its actions known and its config checked.

        Raises:
            UnknownName: An action that no plugin registers.
            InvalidConfig: A config that doesn't fit.
        """
        return self._planner.recipe(pipeline, named=named)

    def run(
        self,
        paths: Sequence[AnyPath],
        recipe: Recipe,
        *,
        force: bool = False,
        dry_run: bool = False,
        output: AnyPath | None = None,
        list_all: bool = True,
        sifted: Sifted | None = None,
        listener: Listener = _deaf,
        on_hashed: OnHashed = _deaf_to_hashes,
        on_fetching: OnFetching = _deaf_to_fetches,
        on_lacking: OnLacking = _deaf_to_lacks,
    ) -> Summary:
        """Bring the results of a recipe on files and folders up to date.

        Args:
            paths: Files, and folders with all below them.
            recipe: What to do.
            force: Compute again what is cached.
            dry_run: Only say what would be done.
            output: Folder to copy artifacts to, or a template such as `~/Out/{folder}/{stem}`.
                What the recipe's actions made and lies there already is no source.
            list_all: Give a row for each step on each file. Otherwise files in folders for which
                nothing is to be done are only counted where that will do, if they are many.
            sifted: These very folders, looked through already; it counts if it was for this recipe.
            listener: Learns of each event.
            on_hashed: Learns how many of how many files are read.
            on_fetching: Learns how many bytes of a URL's file have come, of how many if that is
                known; None when that is over. Called from several threads.
            on_lacking: Learns before the first job which step lacks what. It is left out; the
                others are done.

        Raises:
            UsageError: A path doesn't exist.
            StoreError: The store can't be used.
        """
        started = time.monotonic()
        announce = self._announcing(listener)
        asked = None if list_all or force or output else self._asked_of_each(recipe)
        walked, sieve = None, None if asked is None else Unchanged(self.store, asked)
        if sifted and sifted.unchanged.asked == asked:
            walked, sieve = sifted
        roots, summary = self._candidates(
            paths,
            recipe,
            top_of(os.fspath(output)) if output else None,
            on_hashed,
            on_fetching,
            sieve=sieve,
            walked=walked,
        )
        run = Run(
            self.store,
            self._planner,
            self._planner.recipes_for(recipe, roots),
            source=new_source_name(self.name),
            force=force,
        )
        run.plan()
        if not dry_run and self._runs_here:
            summary.lacking = run.preflight(recipe)
            for step, lack in summary.lacking.items():
                on_lacking(step, lack)
        if not dry_run and run.missing():
            self._runs[run.source] = run
            try:
                run.execute(self._dispatching(), announce)
            finally:
                del self._runs[run.source]
        summary.rows = run.rows()
        for row in summary.rows:
            if row.state is RowState.CACHED and row.key:
                announce(_cached(row.action, row.media_url, row.key))
        if output and not dry_run:
            publisher = Publisher(output, paths, self.settings.output_times, self.store.results_of)
            summary.rows = publisher.publish(summary.rows, summary.problems)
        summary.seconds = time.monotonic() - started
        if not dry_run:
            self._announcer.run_finished(summary.facts())
        return summary

    def submit(self, paths: Sequence[AnyPath], recipe: Recipe) -> Submission:
        """Ask for the results of a recipe that are missing, and leave them to whoever works.

        Args:
            paths: Files, and folders with all below them.
            recipe: What to do. What follows a step of a pipeline of the settings is asked for
                when that step is done.

        Raises:
            UsageError: A path doesn't exist.
            StoreError: The store can't be used.
        """
        roots, summary = self._candidates(paths, recipe, None, _deaf_to_hashes, _deaf_to_fetches)
        rows = [
            (one, row)
            for one, its in self._planner.recipes_for(recipe, roots)
            for row in self._planner.evaluate(one, its)
        ]
        missing = [(one, row) for one, row in rows if row.state is State.MISSING]
        jobs = self.store.submit([request_for(one, row, "user") for one, row in missing])
        cached = sum(row.state is State.CACHED for _, row in rows)
        return Submission(tuple(jobs), cached, tuple(summary.problems))

    def _candidates(
        self,
        paths: Sequence[AnyPath],
        recipe: Recipe,
        output: Path | None,
        on_hashed: OnHashed,
        on_fetching: OnFetching,
        *,
        sieve: Unchanged | None = None,
        walked: Walk | None = None,
    ) -> tuple[list[Candidate], Summary]:
        paths, urls = sort_out(paths)
        for path in paths:
            if not os.path.lexists(path):
                raise UsageError(f"There is no file or folder {display(path)}")
        skip = [*self._artifacts.folders, *([output] if output else [])]
        # A file that is named and lies in a folder that is named too would be counted twice.
        folders_only = all(map(os.path.isdir, paths))
        if walked is None and sieve and folders_only:
            walked = walk(paths, skip, sieve.sift)
        elif walked is None:
            walked = walk(paths, skip)
        wanted = [file for file in walked.found if recipe.accepts_kind(file.kind)]
        self._refuse_named_misfits(paths, recipe, wanted, walked.problems)
        roots = self._files.of_found(wanted, walked.problems, on_hashed)
        if urls:
            roots += self._inputs.fetch_all(
                urls, recipe.accepts_kind, walked.problems, on_hashed, on_fetching
            )
        own = own_outputs(self.store, recipe, roots, output, paths) if output else set()
        roots = [root for root in roots if root.path not in own]
        summary = Summary(problems=walked.problems, ignored=walked.ignored, own=len(own))
        if sieve:
            summary.unlisted_files, summary.unlisted = sieve.files, sieve.results
            summary.unlisted_saved_ms = sieve.saved_ms
        return roots, summary

    def _asked_of_each(self, recipe: Recipe) -> list[Asked] | None:
        """What unchanged files can be sifted out by, unless a plugin wants to hear of each."""
        planned = self.registry.plugins.hook.mediahost_plan_jobs.get_hookimpls()
        if planned or EventKind.CACHED in self._announcer.kinds:
            return None
        return asked_of(recipe, self.store.algorithm)

    def repeatable(self, recipe: Recipe) -> list[Asked] | None:
        """What a run of the recipe asks of each file, if it will be the same next time.

        None: what is asked depends on more than the words of the call, settings and sources; or a
        plugin is told what happens, or is broken, so that nobody knows what it wants.
        """
        self._announcer.start()
        odd = any(row.error or row.environment for row in self.registry.rows)
        if odd or self._announcer.is_heard or not is_constant(recipe):
            return None
        return self._asked_of_each(recipe)

    @property
    def _runs_here(self) -> bool:
        """Whether attempts see the files and programs of this machine."""
        return self.settings.executor in ("local", "inline")

    @property
    def skipped_folders(self) -> Sequence[Path]:
        """Where no run looks for media files: what is there was made of them."""
        return self._artifacts.folders

    def _refuse_named_misfits(
        self,
        paths: Sequence[AnyPath],
        recipe: Recipe,
        wanted: Sequence[FoundFile],
        problems: list[Problem],
    ) -> None:
        """A file that is named gets an answer, even if it is that no action works on its kind."""
        answered = {file.path for file in wanted} | {problem.path for problem in problems}
        for path in map(os.path.abspath, paths):
            if path not in answered and os.path.isfile(path):  # noqa: PTH113
                first = [step.action for step in recipe.steps if step.media is None]
                actions = first[0] if len(first) == 1 else f"none of {', '.join(first)}"
                works = "does not work" if len(first) == 1 else "works"
                message = f"{display(path)} is of a kind that {actions} {works} on"
                problems.append(Problem(path, message))

    def work(
        self,
        listener: Listener = _deaf,
        *,
        forever: bool = True,
        until: Callable[[], bool] = lambda: False,
    ) -> None:
        """Run whatever jobs are in the store, of any source, until `until` says to stop."""
        announce = self._announcing(listener)
        kinds = self._announcer.kinds if listener is _deaf else frozenset(EventKind)
        self._dispatching().run(announce, kinds=kinds, forever=forever, until=until)

    def join(self) -> None:
        """Let the other hosts know that this one is there, before anything gets its name.

        Raises:
            StoreError: The data folder or the store can't be written.
        """
        self._presence.begin()

    def start_telling(self) -> None:
        """Tell plugins that this host is there, once, before `tell_of_watch`.

        Raises:
            MediahostError: A plugin can't do what its settings say.
        """
        self._announcer.start()

    def tell_of_watch(self, watch: str, state: str, reason: str) -> None:
        """Tell plugins how a watch is. From any thread."""
        self._announcer.watch_changed(watch, state, reason)

    def wake(self) -> None:
        """There are new jobs: a host that works claims them at once. From any thread."""
        if self._dispatcher:
            self._dispatcher.wake()

    def standing_order(self, recipe: Recipe, *, source: str, priority: int = 0) -> StandingOrder:
        """A recipe to keep up for files that come one by one."""
        return StandingOrder(
            self.store,
            self._planner,
            self._files,
            recipe,
            source=source,
            priority=priority,
            runs_here=self._runs_here,
        )

    def drain(self) -> None:
        """Let `work` end: claim no more, finish what runs, give the rest back. From any thread."""
        self._draining = True
        if self._dispatcher:
            self._dispatcher.drain()

    def interrupt(self) -> bool:
        """Let `run` end by a KeyboardInterrupt, as soon as it runs jobs. From a signal handler.

        An exception that a signal handler raises may fall into a callback, where it is lost.

        Returns:
            Whether jobs are run now: then it ends by itself.
        """
        self._interrupted = True
        if self._dispatcher is None:
            return False
        self._dispatcher.interrupt()
        return self._dispatcher.is_running

    def has_room(self) -> bool:
        """Whether more may be submitted, or so much waits that whoever finds files should pause."""
        most = self.settings.max_pending
        return self.store.count_waiting(most=most) < most

    def _announcing(self, listener: Listener) -> Listener:
        """Tell the plugins too (`mediahost_event`), where any wants to hear."""
        self._announcer.start()
        wanted = self._announcer.kinds
        if not wanted:
            return listener

        def announce(event: Event) -> None:
            listener(event)
            if event.kind in wanted:
                self._announcer.event(event)

        return announce

    def _dispatching(self) -> Dispatcher:
        if self._dispatcher is None:
            self._presence.begin()
            self._artifacts.open(self.roster.is_gone)
            limits = Limits(self.settings.timeout_s, self.settings.attempts, self._threads())
            self._dispatcher = Dispatcher(
                host=self.name,
                store=self.store,
                executor=self._make_executor(),
                attempts=Attempts(
                    self.store,
                    self.registry,
                    self._files,
                    self._artifacts,
                    limits,
                    inputs=self._inputs,
                ),
                artifacts=self._artifacts,
                follow_ups=self._follow_ups,
                late_follow_ups=self._late_follow_ups,
                schedule=Schedule(self._limit_of, self.settings.weights),
                presence=self._presence,
                roster=self.roster,
                lease_s=self.settings.lease_s,
                cancel_grace_s=self.settings.cancel_grace_s,
            )
            if self._draining:
                self._dispatcher.drain()
            if self._interrupted:
                self._dispatcher.interrupt()
        return self._dispatcher

    def _limit_of(self, action: str) -> Limit | None:
        try:
            info = self.registry.action(action).info
        except MediahostError:  # there is none, or there are two of that name
            return None
        return Limit(info.pool, self.settings.max_inflight.get(action, info.max_inflight))

    def _heartbeat(self, running: int, status: HostStatus) -> Heartbeat:
        return Heartbeat(
            host=self.name,
            machine=self.name.partition("/")[0],
            pid=os.getpid(),
            version=__version__,
            executor=self.settings.executor,
            slots=self.settings.workers,
            running=running,
            status=status,
        )

    def _threads(self) -> int:
        return max(1, (os.cpu_count() or 1) // self.settings.workers)

    def _follow_ups(self, job: ClaimedJob, fresh: Mapping[CacheKey, Hit]) -> Sequence[JobRequest]:
        """What can be done next for the file that a job belongs to.

        The job's own result must not be lost for what goes wrong here.
        """
        request = job.request
        run = self._runs.get(request.source)
        if run is None and request.pipeline is None:
            return ()
        try:
            return run.follow_ups(job, fresh) if run else self._next_of_pipeline(request, fresh)
        except StoreError:
            raise
        except Exception:
            log.exception("What follows %s on %s is not known", request.action, request.root_url)
        return ()

    def _late_follow_ups(self, job: ClaimedJob) -> Sequence[JobRequest]:
        """What follows several steps that two hosts did at once.

        Neither host saw the other's result before its own was committed. A run looks again at its
        end; for what other hosts run, this is the second look.
        """
        request = job.request
        if request.pipeline is None or request.source in self._runs:
            return ()
        pipeline = self.settings.find_pipeline(request.pipeline)
        if pipeline is None:
            return ()
        joins = any(len(step.needs) > 1 and request.step in step.needs for step in pipeline.steps)
        return self._follow_ups(job, {}) if joins else ()

    def _next_of_pipeline(
        self, request: JobRequest, fresh: Mapping[CacheKey, Hit]
    ) -> list[JobRequest]:
        """The next steps of a pipeline that the settings still have."""
        pipeline = self.settings.find_pipeline(request.pipeline)
        if pipeline is None or request.root_url is None:
            return []
        recipe = self.recipe(pipeline)
        return [
            request_for(one, row, request.source, request.priority)
            for one, roots in self._planner.recipes_for(recipe, self._roots_at(request.root_url))
            for row in self._planner.evaluate(one, roots, fresh=fresh)
            if row.state is State.MISSING and request.step in row.step.needs
        ]

    def _roots_at(self, root_url: str) -> list[Candidate]:
        if is_remote(root_url):
            return [self._inputs.candidate(root_url, ask=False)]
        return self._files.of_found(walk([url_to_path(root_url)]).found, [])

    # --- looking -------------------------------------------------------------------------------

    def results(self, path: AnyPath) -> list[StoredResult]:
        """All cached results for the content of a file, the newest first.

        Raises:
            InvalidMedia: The file can't be read.
        """
        return self.store.results_of(self._candidate(path).file_hash)

    def known(self, path: AnyPath) -> list[Known]:
        """What `results` gives, and after that the results for what was made of the file.

        Raises:
            InvalidMedia: The file can't be read.
        """
        return list(known_of(self.store, self._candidate(path).file_hash))

    def hashed(self, paths: Sequence[AnyPath], problems: list[Problem]) -> list[Candidate]:
        """The media files at these paths, and in and below those that are folders, with hashes.

        Args:
            paths: Files and folders.
            problems: What can't be read is added here.

        Raises:
            UsageError: A path doesn't exist.
        """
        for path in paths:
            if not os.path.lexists(path):
                raise UsageError(f"There is no file or folder {display(path)}")
        walked = walk(paths, skip=self._artifacts.folders)
        problems += walked.problems
        return self._files.of_found(walked.found, problems)

    def lineage(self, path: AnyPath) -> Lineage:
        """What a file was made of, and what was made of it.

        Args:
            path: The file, or a URL. One that is gone is known by its path.

        Raises:
            OSError: The file is there but can't be read.
            StoreError: The store can't be used.
        """
        text = os.fspath(path)
        if is_remote(text):
            return lineage_of(self.store, text, None)
        text = os.path.abspath(text)  # noqa: PTH100 - keeps names that aren't UTF-8
        file_hash = self._files.of(text) if os.path.isfile(text) else None  # noqa: PTH113 - same
        return lineage_of(self.store, path_to_url(text), file_hash)

    def explain(self, path: AnyPath, recipe: Recipe | None = None) -> list[Explanation]:
        """For each step of a recipe: is it cached for this file, and if not, what differs.

        Args:
            path: The file.
            recipe: The steps; None: every action that works on such a file, as it is configured
                by default or, if it has no default, was last.

        Raises:
            InvalidMedia: The file can't be read.
        """
        root = self._candidate(path)
        return [
            explain(self.store, one, row)
            for one in ([recipe] if recipe else self._every_action(root))
            for row in self._planner.evaluate(one, [root])
        ]

    def _candidate(self, path: AnyPath) -> Candidate:
        paths, urls = sort_out([path])
        if urls:
            return self._inputs.candidate(urls[0])
        (path,) = paths
        walked = walk([path])
        if os.path.isdir(path):  # noqa: PTH112
            raise InvalidMedia(f"{display(path)} is a folder", "Name one file in it.")
        found = self._files.of_found(walked.found, walked.problems)
        if not found:
            raise InvalidMedia(walked.problems[0].message)
        return found[0]

    def _every_action(self, root: Candidate) -> Iterator[Recipe]:
        last = {one.action: one.config for one in reversed(self.store.results_of(root.file_hash))}
        for action in self.registry.actions():
            name = action.info.name
            for config in ({}, last.get(name, {})):
                step = Step(action=name, config=dict(config))
                try:
                    recipe = self.recipe(Pipeline(name=name, steps=(step,)), named=False)
                except InvalidConfig:
                    continue
                yield recipe
                break


def _cached(action: str, media_url: str, key: CacheKey) -> Event:
    return Event(EventKind.CACHED, action, media_url, details={"key": list(key)})
