"""A shift: what a worker does from its first attempt to its last."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import suppress
from resource import RUSAGE_SELF, getrusage

from mediahost.executor.baseline import Baseline
from mediahost.executor.descriptors import output
from mediahost.executor.leftovers import Leftovers
from mediahost.executor.link import Link
from mediahost.executor.messages import spec_from_json
from mediahost.executor.resources import Resources
from mediahost.executor.temporary import Temporary
from mediahost.executor.workbench import Workbench, loaded_plugins, tell_plugins
from mediahost.model.result import Result
from mediahost.plugin.hookspecs import hookimpl
from mediahost.ports import AttemptSpec
from mediahost.threads import GuardedThread

_logger = logging.getLogger("mediahost.action")


class Shift:
    """One worker's working life: attempts on this thread, cancellations on another.

    Args:
        jobs: Number of the socket with attempts in and answers out.
        control: Number of the socket with cancellations in.
    """

    def __init__(self, jobs: int, control: int) -> None:
        self._link = Link(jobs, control)
        self._counting = threading.Lock()
        self._received = 0
        self._begun = 0
        self._recalled = 0
        self._cancelled: set[int] = set()
        self._resources = Resources()
        self._leftovers = Leftovers()
        self._loads = 0
        self._threads: set[threading.Thread] = set()
        self._temporary = Temporary()
        self._output = output()
        self._interruptions = _interruptions()

    def work(self) -> None:
        """Run attempts until no more are to come."""
        logging.basicConfig(
            level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        _logger.setLevel(logging.DEBUG)
        GuardedThread(self._obey, name="control", failed=lambda _error: self._end_all()).start()
        arriving = self._link.attempts()
        hello = next(arriving)
        registry = loaded_plugins(hello["plugins"])
        registry.plugins.register(_Tidy(self._leftovers, self._resources))
        workbench = Workbench(registry, self._resources.borrower())
        tell_plugins(registry, "mediahost_worker_started", hello["name"])
        self._leftovers.keep()
        self._threads = set(threading.enumerate())
        baseline = Baseline()
        self._link.send({"kind": "ready"})
        for message in arriving:
            if self._begin():
                spec = spec_from_json(message)
                baseline.restore({**message["environ"], **self._temporary.open(spec.workdir)})
                self._run(workbench, spec)
        tell_plugins(registry, "mediahost_worker_stopping", hello["name"])
        self._resources.close()
        self._leftovers.end()
        self._temporary.close()

    def _begin(self) -> bool:
        """Count the next attempt; whether it is to be run here."""
        with self._counting:
            self._received += 1
            if self._received > self._recalled:
                self._begun = self._received
        return self._begun == self._received

    def _run(self, workbench: Workbench, spec: AttemptSpec) -> None:
        number = self._begun
        ended = workbench.run(
            spec,
            cancelled=lambda: number in self._cancelled,
            report=self._link.reporter(number),
            log=_logger,
        )
        self._cancelled.discard(number)
        with suppress(OSError, ValueError):  # a plugin may have closed them
            sys.stdout.flush()
            sys.stderr.flush()
        has_threads = self._has_left_threads()
        self._temporary.tidy(self._resources.loads)
        spent = has_threads or output() != self._output
        if spent:
            self._recalled = sys.maxsize
        self._link.send_end(
            number,
            spec,
            ended,
            warm=self._resources.names(),
            spent=spent,
            interrupted=ended.elapsed_ms > 0 and self._was_interrupted(),
        )

    def _has_left_threads(self) -> bool:
        """Whether the attempt left threads that nobody ends; they would write to others' logs."""
        if self._loads != self._resources.loads:
            # What was loaded may work on threads of its own.
            self._loads = self._resources.loads
            self._threads = set(threading.enumerate())
        return any(not each.daemon and each not in self._threads for each in threading.enumerate())

    def _was_interrupted(self) -> bool:
        """Whether the kernel has taken this process's core away since this was last asked."""
        before, self._interruptions = self._interruptions, _interruptions()
        return self._interruptions != before

    def _obey(self) -> None:
        for order in self._link.orders():
            if "cancel" in order:
                self._cancelled.add(order["cancel"])
            else:
                self._give_back(order["recall"])
        # The host is gone. Nobody will hear of this attempt.
        self._end_all()

    def _end_all(self) -> None:
        """End this process and all that it runs, at once."""
        self._leftovers.end()
        os.killpg(0, signal.SIGKILL)

    def _give_back(self, upto: int) -> None:
        """Promise not to run the attempts up to this one that have not begun."""
        with self._counting:
            self._recalled = max(self._recalled, upto)
            begun = self._begun
        self._link.send({"kind": "returned", "after": begun, "upto": upto})


class _Tidy:
    """Ends what an attempt left running, before its artifacts are looked at."""

    def __init__(self, leftovers: Leftovers, resources: Resources) -> None:
        self._leftovers = leftovers
        self._resources = resources

    @hookimpl(wrapper=True, tryfirst=True)
    def mediahost_run_action(self) -> Generator[None, Result | None, Result | None]:
        try:
            return (yield)
        finally:
            self._leftovers.tidy(self._resources.loads)


def _interruptions() -> int:
    return getrusage(RUSAGE_SELF).ru_nivcsw
