"""A lane: the workers of one pool, and the attempts that they were given."""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from mediahost.executor import verdict
from mediahost.executor.attempt import Attempt
from mediahost.executor.environ import variables_like
from mediahost.executor.frames import pack
from mediahost.executor.messages import spec_to_json
from mediahost.executor.shared_supervisor import SharedSupervisor
from mediahost.executor.supervisor import Supervisor
from mediahost.model.job import Token
from mediahost.ports import AttemptSpec, Ended, ExecutorEvent
from mediahost.threads import GuardedThread, guarded

_logger = logging.getLogger("mediahost.executor")


class Lane:
    """Workers of one pool, under a supervisor and a thread of their own.

    Args:
        name: What its workers' names begin with.
        workers: How many attempts run at once.
        python: The workers' interpreter.
        plugins: Plugins that workers load besides the installed ones.
        max_rss_bytes: Resident memory that a worker may hold; None: any.
        variables: What of the host's environment workers get besides the usual.
        sink: Gets each event, from the lane's thread.
        shared: They run in one process, on threads.
    """

    def __init__(
        self,
        name: str,
        workers: int,
        *,
        python: str,
        plugins: Sequence[str],
        max_rss_bytes: int | None,
        variables: Collection[str],
        sink: Callable[[ExecutorEvent], None],
        shared: bool = False,
    ) -> None:
        self._workers = workers
        self._lock = threading.Lock()
        self._attempts: dict[Token, Attempt] = {}
        self._sink = sink
        self._supervise: Callable[[], Supervisor | SharedSupervisor] = partial(
            SharedSupervisor if shared else Supervisor,
            name,
            workers,
            python=python,
            plugins=plugins,
            max_rss_bytes=max_rss_bytes,
            variables=variables,
            tell=self._tell,
        )
        self._stopping = False
        self._supervisor: Supervisor | SharedSupervisor | None = self._supervise()
        self._thread = GuardedThread(self._run, name=f"mediahost-{name}")
        self._thread.start()

    def room(self, beside: int = 0) -> int:
        """How many more attempts are welcome.

        Args:
            beside: How many take the same slots elsewhere.
        """
        with self._lock:
            taken = len(self._attempts) + beside
            return max(0, self._workers - taken)

    def warm(self) -> frozenset[str]:
        """What idle workers keep loaded."""
        supervisor = self._supervisor
        return supervisor.warm() if supervisor else frozenset()

    def submit(self, specs: Sequence[AttemptSpec]) -> None:
        """Run attempts as soon as workers are free. After `stop` they end as lost."""
        mine: list[Attempt] = []
        for spec in specs:
            try:
                mine.append(Attempt(spec, pack(_order(spec))))
            except (ValueError, TypeError) as error:
                self._refuse(spec, verdict.not_sendable(spec.action, error))
        with self._lock:
            supervisor = self._supervisor
            if supervisor is not None:
                self._attempts.update((attempt.spec.token, attempt) for attempt in mine)
                supervisor.post(partial(supervisor.queue, mine))
        if supervisor is None:
            for attempt in mine:
                self._refuse(attempt.spec, verdict.stopped(attempt.spec.action))

    def _refuse(self, spec: AttemptSpec, why: verdict.Verdict) -> None:
        outcome, failure = why
        self._hand_over(Ended(spec.token, outcome, failure=failure))

    def cancel(self, token: Token, grace_s: float) -> None:
        """Ask an attempt to stop; after `grace_s` seconds end it. Unknown tokens are ignored."""
        with self._lock:
            attempt, supervisor = self._attempts.get(token), self._supervisor
        if attempt is not None and supervisor is not None:
            supervisor.post(partial(supervisor.cancel, attempt, grace_s))

    def alive(self) -> set[Token]:
        """The attempts that were submitted and have not ended."""
        with self._lock:
            return set(self._attempts)

    def stop(self, grace_s: float | None) -> None:
        """Take no more; end attempts after `grace_s` seconds, None: let them finish."""
        with self._lock:
            self._stopping = True
            if self._supervisor is not None:
                self._supervisor.post(partial(self._supervisor.stop, grace_s))

    def join(self) -> None:
        """Wait for the end, if this isn't the lane's own thread."""
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        """Supervise until stopped; a supervisor that breaks down is replaced."""
        while (supervisor := self._supervisor) is not None:
            guarded(supervisor.run)
            with self._lock:
                left = tuple(self._attempts.values())
                self._supervisor = None if self._stopping else self._supervise()
            for attempt in left:
                outcome, failure = verdict.stopped(attempt.spec.action)
                self._tell(Ended(attempt.spec.token, outcome, failure=failure))

    def _tell(self, event: ExecutorEvent) -> None:
        if isinstance(event, Ended):
            with self._lock:
                del self._attempts[event.token]
        self._hand_over(event)

    def _hand_over(self, event: ExecutorEvent) -> None:
        try:
            self._sink(event)
        except Exception:
            _logger.exception("What %s should have been told to failed", type(event).__name__)


def _order(spec: AttemptSpec) -> dict[str, Any]:
    """An attempt as its worker gets it, with the variables that its action declares."""
    environ = variables_like(spec.variables) if spec.variables else {}
    return {**spec_to_json(spec), "environ": environ}
