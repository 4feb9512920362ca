"""The local executor: attempts in processes of this machine, which can't hurt each other."""

import logging
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from mediahost.executor import verdict
from mediahost.executor.attempt import Attempt
from mediahost.executor.frames import pack
from mediahost.executor.messages import spec_to_json
from mediahost.executor.supervisor import Supervisor
from mediahost.model.job import Token
from mediahost.ports import AttemptSpec, Ended, ExecutorEvent

_logger = logging.getLogger("mediahost.executor")

GRACE_S = 5.0

# As much work is taken ahead as keeps the workers busy while the host fetches more.
AHEAD_S = 0.05
AHEAD_MOST = 32
_MEAN_WEIGHT = 0.1


class LocalExecutor:
    """Runs each attempt in a worker process that is kept for the next one.

    A worker that crashes, hangs or grows takes one attempt with it and no other. What an
    attempt writes to its standard output and error, from C libraries too, goes to its log.

    Args:
        workers: How many attempts run at once.
        python: The workers' interpreter; mediahost must be installed for it.
        plugins: Plugins that workers load besides the installed ones: module names or paths
            of Python files.
        max_rss_bytes: Resident memory that a worker may hold; None: any. Programs that an
            action runs are not counted.
        grace_s: How long a cancelled attempt may take to stop by itself.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        python: str = sys.executable,
        plugins: Sequence[str] = (),
        max_rss_bytes: int | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self._workers = workers
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self._attempts: dict[Token, Attempt] = {}
        self._mean_s: float | None = None
        self._sink: Callable[[ExecutorEvent], None] | None = None
        self._new_supervisor = partial(
            Supervisor, workers, python, plugins, max_rss_bytes, self._tell
        )
        self._supervisor: Supervisor | None = None
        self._thread: threading.Thread | None = None

    def start(self, sink: Callable[[ExecutorEvent], None]) -> None:
        """Get ready, after a stop too; workers start when there is work.

        Events go to `sink`, from one thread.
        """
        with self._lock:
            self._sink = sink
            self._supervisor = self._new_supervisor()
            self._thread = threading.Thread(
                target=self._run, args=(self._supervisor,), name="mediahost-executor", daemon=True
            )
            self._thread.start()

    def capacity(self) -> Mapping[str, int]:
        """How many more attempts are welcome. All pools share the workers."""
        with self._lock:
            return {"cpu": max(0, self._workers * (1 + self._ahead()) - len(self._attempts))}

    def warm(self) -> frozenset[tuple[str, str]]:
        """What idle workers keep loaded; the environment is "" for the host's own."""
        supervisor = self._supervisor
        return frozenset(("", name) for name in (supervisor.warm() if supervisor else ()))

    def submit(self, attempt: AttemptSpec) -> None:
        """Run an attempt as soon as a worker is free. After `stop` it ends as lost."""
        why = verdict.stopped(attempt.action)
        try:
            mine = Attempt(attempt, pack(spec_to_json(attempt)))
        except (ValueError, TypeError) as error:
            why = verdict.not_sendable(attempt.action, error)
            mine = None
        with self._lock:
            supervisor = self._supervisor
            if supervisor is not None and mine is not None:
                self._attempts[attempt.token] = mine
                supervisor.post(partial(supervisor.queue, mine))
        if supervisor is None or mine is None:
            outcome, failure = why
            self._hand_over(Ended(attempt.token, outcome, failure=failure))

    def cancel(self, token: Token, grace_s: float | None = None) -> None:
        """Ask an attempt to stop; after `grace_s` seconds end it. Unknown tokens are ignored."""
        with self._lock:
            attempt, supervisor = self._attempts.get(token), self._supervisor
        if attempt is not None and supervisor is not None:
            grace_s = self._grace_s if grace_s is None else grace_s
            supervisor.post(partial(supervisor.cancel, attempt, grace_s))

    def alive(self) -> set[Token]:
        """The attempts that were submitted and have not ended."""
        with self._lock:
            return set(self._attempts)

    def stop(self, *, drain: bool, grace_s: float) -> None:
        """End, and wait for the end.

        Args:
            drain: Let all submitted attempts finish first. A second call without it hastens.
            grace_s: Else: how long running attempts may take to stop by themselves. Those that
                give no result end as lost, which is no failure of theirs.
        """
        with self._lock:
            if self._supervisor is not None:
                order = partial(self._supervisor.stop, None if drain else grace_s)
                self._supervisor.post(order)
        if self._thread is not None and threading.current_thread() is not self._thread:
            self._thread.join()

    def _ahead(self) -> int:
        if self._mean_s is None:
            return 0
        return min(AHEAD_MOST, int(AHEAD_S / max(self._mean_s, 1e-6)))

    def _run(self, supervisor: Supervisor) -> None:
        try:
            supervisor.run()
        except Exception:
            _logger.exception("The executor broke down")
        finally:
            with self._lock:
                self._supervisor = None
                left = tuple(self._attempts.values())
            for attempt in left:
                outcome, failure = verdict.stopped(attempt.spec.action)
                self._tell(Ended(attempt.spec.token, outcome, failure=failure))

    def _tell(self, event: ExecutorEvent) -> None:
        if isinstance(event, Ended):
            with self._lock:
                del self._attempts[event.token]
                self._note(event.elapsed_ms / 1000)
        self._hand_over(event)

    def _note(self, elapsed_s: float) -> None:
        before = elapsed_s if self._mean_s is None else self._mean_s
        self._mean_s = before + _MEAN_WEIGHT * (elapsed_s - before)

    def _hand_over(self, event: ExecutorEvent) -> None:
        try:
            if self._sink is not None:
                self._sink(event)
        except Exception:
            _logger.exception("What %s should have been told to failed", type(event).__name__)
