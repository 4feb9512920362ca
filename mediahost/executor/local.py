"""The local executor: attempts in processes of this machine, which can't hurt each other."""

import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from mediahost.executor import verdict
from mediahost.executor.lane import Lane
from mediahost.model.job import Token
from mediahost.ports import AttemptSpec, Ended, ExecutorEvent

GRACE_S = 5.0


class LocalExecutor:
    """Runs each attempt in a worker process that is kept for the next one.

    A worker that crashes, hangs or grows takes one attempt with it and no other. What an
    attempt writes to its standard output and error, from C libraries too, goes to its log.
    Each pool has workers of its own, which start when there is work for them, and one more for
    attempts that share a process: they run in it at once, each on a thread.

    Args:
        workers: How many attempts of the pool cpu, and of pools without slots of their own, run
            at once.
        pools: How many attempts of other pools run at once, by pool.
        python: The workers' interpreter; mediahost must be installed for it.
        plugins: Plugins that workers load besides the installed ones: module names or paths
            of Python files.
        max_rss_bytes: Resident memory that a worker may hold; None: any. Programs that an
            action runs are not counted.
        variables: What of the host's environment workers get besides the usual
            (`mediahost.executor.environ`): names or patterns.
        grace_s: How long a cancelled attempt may take to stop by itself.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        pools: Mapping[str, int] | None = None,
        python: str = sys.executable,
        plugins: Sequence[str] = (),
        max_rss_bytes: int | None = None,
        variables: Collection[str] = (),
        grace_s: float = GRACE_S,
    ) -> None:
        self._slots = {**(pools or {}), "cpu": workers}
        self._python = python
        self._plugins = plugins
        self._max_rss_bytes = max_rss_bytes
        self._variables = variables
        self._grace_s = grace_s
        self._lock = threading.Lock()
        # By pool, and whether they share a process.
        self._lanes: dict[tuple[str, bool], Lane] = {}
        self._stopping = True
        self._sink: Callable[[ExecutorEvent], None] = lambda _event: None

    def start(self, sink: Callable[[ExecutorEvent], None]) -> None:
        """Get ready, after a stop too; workers start when there is work.

        Events go to `sink`, from one thread for each pool.
        """
        with self._lock:
            self._sink = sink
            self._lanes = {}
            self._stopping = False

    def capacity(self) -> Mapping[str, int]:
        """How many more attempts each pool takes now."""
        return {pool: self._room(pool, slots) for pool, slots in self._slots.items()}

    def _room(self, pool: str, slots: int) -> int:
        apart, together = self._lanes.get((pool, False)), self._lanes.get((pool, True))
        if together is None:
            return slots if apart is None else apart.room()
        if apart is None:
            return together.room()
        return max(apart.room(len(together.alive())), together.room(len(apart.alive())))

    def warm(self) -> frozenset[tuple[str, str]]:
        """What idle workers keep loaded; the environment is "" for the host's own."""
        lanes = tuple(self._lanes.values())
        return frozenset(("", name) for lane in lanes for name in lane.warm())

    def submit(self, *attempts: AttemptSpec) -> None:
        """Run attempts as soon as workers are free. After `stop` they end as lost."""
        batches: defaultdict[tuple[str, bool], list[AttemptSpec]] = defaultdict(list)
        for attempt in attempts:
            batches[attempt.pool, attempt.shared].append(attempt)
        for (pool, shared), batch in batches.items():
            lane = self._lane(pool, shared=shared)
            if lane is not None:
                lane.submit(batch)
                continue
            for attempt in batch:
                outcome, failure = verdict.stopped(attempt.action)
                self._sink(Ended(attempt.token, outcome, failure=failure))

    def _lane(self, pool: str, *, shared: bool) -> Lane | None:
        pool = pool if pool in self._slots else "cpu"
        with self._lock:
            if self._stopping:
                return None
            if (pool, shared) not in self._lanes:
                name = "worker" if pool == "cpu" else f"{pool}-worker"
                self._lanes[pool, shared] = Lane(
                    f"shared-{name}" if shared else name,
                    self._slots[pool],
                    python=self._python,
                    plugins=self._plugins,
                    max_rss_bytes=self._max_rss_bytes,
                    variables=self._variables,
                    sink=self._sink,
                    shared=shared,
                )
            return self._lanes[pool, shared]

    def cancel(self, token: Token, grace_s: float | None = None) -> None:
        """Ask an attempt to stop; after `grace_s` seconds end it. Unknown tokens are ignored."""
        for lane in tuple(self._lanes.values()):
            lane.cancel(token, self._grace_s if grace_s is None else grace_s)

    def alive(self) -> set[Token]:
        """The attempts that were submitted and have not ended."""
        lanes = tuple(self._lanes.values())
        return {token for lane in lanes for token in lane.alive()}

    def stop(self, *, drain: bool, grace_s: float) -> None:
        """End, and wait for the end.

        Args:
            drain: Let all submitted attempts finish first. A second call without it hastens.
            grace_s: Else: how long running attempts may take to stop by themselves. Those that
                give no result end as lost, which is no failure of theirs.
        """
        with self._lock:
            self._stopping = True
            lanes = tuple(self._lanes.values())
        for lane in lanes:
            lane.stop(None if drain else grace_s)
        for lane in lanes:
            lane.join()
