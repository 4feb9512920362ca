"""A shared shift: what a worker does whose attempts run at once, each on a thread of its own."""

import logging
import os
import signal
import threading
from functools import partial

from mediahost.executor.baseline import Baseline
from mediahost.executor.descriptors import output
from mediahost.executor.leftovers import Leftovers
from mediahost.executor.link import Link
from mediahost.executor.messages import spec_from_json
from mediahost.executor.resources import Resources
from mediahost.executor.shared_output import LINE, AttemptLog, divide_output
from mediahost.executor.temporary import Temporary
from mediahost.executor.workbench import Workbench, loaded_plugins, tell_plugins
from mediahost.model.job import Failure, Outcome
from mediahost.plugin.registry import Registry
from mediahost.ports import AttemptSpec, Ended
from mediahost.threads import GuardedThread


class SharedShift:
    """One worker's working life: attempts on threads, cancellations on one more.

    Args:
        jobs: Number of the socket with attempts in and answers out.
        control: Number of the socket with cancellations in.
    """

    def __init__(self, jobs: int, control: int) -> None:
        self._link = Link(jobs, control)
        self._cancelled: set[int] = set()
        self._resources = Resources()
        self._leftovers = Leftovers()
        self._temporary = Temporary()
        self._output = output()
        self._counting = threading.Lock()
        self._present = 0

    def work(self) -> None:
        """Run attempts until no more are to come."""
        divide_output()
        log = logging.StreamHandler()
        log.setFormatter(LINE)
        logging.basicConfig(level=logging.INFO, handlers=[log])
        GuardedThread(self._obey, name="control", failed=lambda _error: self._end_all()).start()
        arriving = self._link.attempts()
        hello = next(arriving)
        registry = loaded_plugins(hello["plugins"])
        tell_plugins(registry, "mediahost_worker_started", hello["name"])
        self._leftovers.keep()
        baseline = Baseline()
        self._link.send({"kind": "ready"})
        threads: list[GuardedThread] = []
        for number, message in enumerate(arriving, 1):
            spec = spec_from_json(message)
            self._enter(baseline, message["environ"], spec.workdir)
            thread = GuardedThread(
                partial(self._run, registry, number, spec),
                name=f"attempt-{number}",
                failed=partial(self._failed, number, spec),
            )
            threads = [one for one in threads if one.is_alive()] + [thread]
            thread.start()
        for thread in threads:
            thread.join()
        tell_plugins(registry, "mediahost_worker_stopping", hello["name"])
        self._resources.close()
        self._leftovers.end()
        self._temporary.close()

    def _run(self, registry: Registry, number: int, spec: AttemptSpec) -> None:
        def cancelled() -> bool:
            return number in self._cancelled

        log = AttemptLog(lambda text: self._link.send({"kind": "log", "n": number, "text": text}))
        borrower = self._resources.borrower(cancelled)
        workbench = Workbench(registry, borrower, program_output=log.pipe)
        with log.listening():
            report = self._link.reporter(number)
            ended = workbench.run(spec, cancelled=cancelled, report=report, log=log.logger)
        log.finish()
        self._leave()
        self._cancelled.discard(number)
        spent = output() != self._output
        self._link.send_end(number, spec, ended, warm=self._resources.names(), spent=spent)

    def _failed(self, number: int, spec: AttemptSpec, error: BaseException) -> None:
        """End an attempt whose thread could not."""
        failure = Failure(f"The worker failed at the end of {spec.action}: {error}")
        ended = Ended(spec.token, Outcome.ERROR, failure=failure)
        # Spent: what this thread did not put in order, a new process has in order.
        self._link.send_end(number, spec, ended, warm=self._resources.names(), spent=True)

    def _enter(self, baseline: Baseline, variables: dict[str, str], workdir: str) -> None:
        """One more; while others run, what they stand on is not touched."""
        with self._counting:
            if self._present:
                baseline.add(variables)
            else:
                baseline.restore({**variables, **self._temporary.open(workdir)})
            self._present += 1

    def _leave(self) -> None:
        """The last to leave turns out the lights: whose program it was, nobody can tell before."""
        with self._counting:
            self._present -= 1
            if not self._present:
                self._leftovers.tidy(self._resources.loads)
                self._temporary.tidy(self._resources.loads)

    def _obey(self) -> None:
        for order in self._link.orders():
            self._cancelled.add(order["cancel"])
        # The host is gone. Nobody will hear of these attempts.
        self._end_all()

    def _end_all(self) -> None:
        """End this process and all that it runs, at once."""
        self._leftovers.end()
        os.killpg(0, signal.SIGKILL)
