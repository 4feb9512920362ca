"""The isolated executor: attempts of some actions in environments of their own, the others here."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from mediahost.model.job import Token
from mediahost.ports import AttemptSpec, Ended, Executor, ExecutorEvent
from mediahost.threads import GuardedThread


class IsolatedExecutor:
    """Hands each attempt to the executor of its action's environment.

    All of them share the capacity of the main one, so that there are never more attempts at once
    than workers were asked for.

    Args:
        main: Runs what has no environment of its own.
        interpreters: The interpreter of each action that has one.
        make: Makes an executor whose workers have this interpreter.
    """

    def __init__(
        self,
        main: Executor,
        interpreters: Mapping[str, Path],
        make: Callable[[Path], Executor],
    ) -> None:
        self._main = main
        self._interpreters = interpreters
        self._make = make
        self._lock = threading.Lock()
        self._others: dict[Path, Executor] = {}
        self._stopping = True
        self._elsewhere: dict[Token, str] = {}
        self._sink: Callable[[ExecutorEvent], None] | None = None

    def start(self, sink: Callable[[ExecutorEvent], None]) -> None:
        """Get ready; environments start when there is work for them."""
        self._sink = sink
        self._main.start(sink)
        self._stopping = False

    def capacity(self) -> Mapping[str, int]:
        """What the main executor takes, less what runs in environments."""
        with self._lock:
            elsewhere = Counter(self._elsewhere.values())
        return {
            pool: max(0, free - elsewhere[pool]) for pool, free in self._main.capacity().items()
        }

    def warm(self) -> frozenset[tuple[str, str]]:
        """What idle workers keep loaded, by environment."""
        with self._lock:
            others = dict(self._others)
        return self._main.warm().union(
            (str(python), resource)
            for python, executor in others.items()
            for _, resource in executor.warm()
        )

    def submit(self, *attempts: AttemptSpec) -> None:
        """Run attempts in their actions' environments."""
        batches: defaultdict[Executor, list[AttemptSpec]] = defaultdict(list)
        with self._lock:
            for attempt in attempts:
                python = self._interpreters.get(attempt.action)
                # A main executor that is stopped knows what becomes of what comes too late.
                executor = self._main if python is None or self._stopping else self._of(python)
                if executor is not self._main:
                    self._elsewhere[attempt.token] = attempt.pool
                batches[executor].append(attempt)
        for executor, batch in batches.items():
            executor.submit(*batch)

    def cancel(self, token: Token, grace_s: float | None = None) -> None:
        """Ask an attempt to stop, wherever it runs."""
        for executor in self._everybody():
            executor.cancel(token, grace_s)

    def alive(self) -> set[Token]:
        """The attempts that were submitted and have not ended."""
        return set().union(*(one.alive() for one in self._everybody()))

    def stop(self, *, drain: bool, grace_s: float) -> None:
        """End all of them at once."""
        with self._lock:
            self._stopping = True
        stops = [
            GuardedThread(partial(one.stop, drain=drain, grace_s=grace_s), name="stop")
            for one in self._everybody()
        ]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()
        with self._lock:
            self._others.clear()

    def _of(self, python: Path) -> Executor:
        if python not in self._others:
            executor = self._make(python)
            executor.start(self._tell)
            self._others[python] = executor
        return self._others[python]

    def _tell(self, event: ExecutorEvent) -> None:
        if isinstance(event, Ended):
            with self._lock:
                self._elsewhere.pop(event.token, None)
        if self._sink is not None:
            self._sink(event)

    def _everybody(self) -> list[Executor]:
        with self._lock:
            return [self._main, *self._others.values()]
