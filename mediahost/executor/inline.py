"""The inline executor: attempts in the host's own process, to step through with a debugger."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from mediahost.executor import verdict
from mediahost.executor.resources import Resources
from mediahost.executor.verdict import Verdict
from mediahost.executor.workbench import Workbench
from mediahost.model.job import Failure, Outcome, Token
from mediahost.plugin.registry import Registry
from mediahost.ports import AttemptSpec, Ended, ExecutorEvent, Progress, Started
from mediahost.threads import GuardedThread, guarded

_logger = logging.getLogger("mediahost.executor")
_FORMAT = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")


class InlineExecutor:
    """Runs one attempt after the other on a thread of this process. For tests and `--debug`.

    Nothing protects the host here: a plugin that crashes takes everything along, and what it
    prints goes where the host prints. An attempt can't be killed either: it is cancelled, or
    past its time limit, when it comes to its next checkpoint, and one that never does is
    waited for. One that gives a result too late has run out of time all the same.

    Args:
        plugins: Plugins to load besides the installed ones.
        registry: Loaded plugins to use instead of loading them.
    """

    def __init__(self, *, plugins: Sequence[str] = (), registry: Registry | None = None) -> None:
        self._plugins = plugins
        self._registry = registry
        self._resources = Resources()
        self._queue: queue.SimpleQueue[AttemptSpec | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._attempts: set[Token] = set()
        self._doomed: dict[Token, Verdict] = {}
        self._stopping = True
        self._sink: Callable[[ExecutorEvent], None] | None = None
        self._thread: GuardedThread | None = None

    def start(self, sink: Callable[[ExecutorEvent], None]) -> None:
        """Get ready, after a stop too. Events go to `sink`, from one thread."""
        self._sink = sink
        self._registry = self._registry or Registry.load(extra=self._plugins)
        workbench = Workbench(self._registry, self._resources.borrower())
        self._stopping = False
        self._thread = GuardedThread(partial(self._work, workbench), name="mediahost-inline")
        self._thread.start()

    def capacity(self) -> Mapping[str, int]:
        """One at a time."""
        with self._lock:
            return {"cpu": max(0, 1 - len(self._attempts))}

    def warm(self) -> frozenset[tuple[str, str]]:
        """There is one process only, so there is nothing to choose."""
        return frozenset()

    def submit(self, *attempts: AttemptSpec) -> None:
        """Run attempts after those before them. After `stop` they end as lost."""
        for attempt in attempts:
            with self._lock:
                stopping = self._stopping
                if not stopping:
                    self._attempts.add(attempt.token)
                    self._queue.put(attempt)
            if stopping:
                outcome, failure = verdict.stopped(attempt.action)
                self._tell(Ended(attempt.token, outcome, failure=failure))

    def cancel(self, token: Token, grace_s: float | None = None) -> None:  # noqa: ARG002 - it can't be killed
        """Ask an attempt to stop at its next checkpoint. Unknown tokens are ignored."""
        with self._lock:
            if token in self._attempts:
                self._doomed[token] = verdict.cancelled()

    def alive(self) -> set[Token]:
        """The attempts that were submitted and have not ended."""
        with self._lock:
            return set(self._attempts)

    def stop(self, *, drain: bool, grace_s: float) -> None:
        """End. Without `drain`, wait no longer than `grace_s` seconds for a running attempt."""
        with self._lock:
            if not self._stopping:
                self._queue.put(None)
            self._stopping = True
            if not drain:
                for token in self._attempts:
                    self._doomed.setdefault(token, verdict.stopped("the action"))
        if self._thread is not None and threading.current_thread() is not self._thread:
            self._thread.join(None if drain else grace_s)

    def _work(self, workbench: Workbench) -> None:
        while (spec := self._queue.get()) is not None:
            guarded(partial(self._run, workbench, spec), partial(self._failed, spec))
        self._resources.close()

    def _run(self, workbench: Workbench, spec: AttemptSpec) -> None:
        if spec.token in self._doomed:
            ended = Ended(spec.token, Outcome.CANCELLED)
        else:
            self._tell(Started(spec.token))
            ended = self._watched(workbench, spec)
        doom = self._doomed.get(spec.token)
        if doom and ended.outcome is not Outcome.OK:
            ended = replace(ended, outcome=doom[0], failure=doom[1])
        self._end(ended)

    def _failed(self, spec: AttemptSpec, error: BaseException) -> None:
        """End an attempt for which there is no place, such as on a full disk."""
        failure = Failure(f"{spec.action} could not be run: {error}", transient=True)
        self._end(Ended(spec.token, Outcome.ERROR, failure=failure))

    def _end(self, ended: Ended) -> None:
        self._doomed.pop(ended.token, None)
        with self._lock:
            self._attempts.discard(ended.token)
        self._tell(ended)

    def _watched(self, workbench: Workbench, spec: AttemptSpec) -> Ended:
        limit_s = spec.timeout_s
        ends_at = None if limit_s is None else time.monotonic() + limit_s

        def late() -> bool:
            return ends_at is not None and time.monotonic() > ends_at

        with _log_of(spec) as log:
            ended = workbench.run(
                spec,
                cancelled=lambda: spec.token in self._doomed or late(),
                report=lambda at, message: self._tell(Progress(spec.token, at, message)),
                log=log,
            )
        if limit_s is not None and late():
            outcome, failure = verdict.timed_out(spec.action, limit_s)
            return replace(ended, outcome=outcome, result=None, failure=failure)
        return ended

    def _tell(self, event: ExecutorEvent) -> None:
        try:
            if self._sink is not None:
                self._sink(event)
        except Exception:
            _logger.exception("What %s should have been told to failed", type(event).__name__)


@contextmanager
def _log_of(spec: AttemptSpec) -> Iterator[logging.Logger]:
    """A logger of this attempt's own, which nobody else finds by its name."""
    log = logging.Logger("mediahost.action")  # noqa: LOG001 - not to be shared
    Path(spec.log_path).parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(spec.log_path, encoding="utf-8", delay=True)
    handler.setFormatter(_FORMAT)
    log.addHandler(handler)
    with closing(handler):
        yield log
