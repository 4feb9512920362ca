"""A shared shift: what a worker does whose attempts run at once, each on a thread of its own."""

import logging
import os
import signal
import threading
from contextlib import suppress
from typing import Any

from mediahost.executor.descriptors import messages, output, private
from mediahost.executor.frames import pack
from mediahost.executor.leftovers import Leftovers
from mediahost.executor.messages import ended_to_json, spec_from_json
from mediahost.executor.shared_output import LINE, AttemptLog, divide_output
from mediahost.executor.shared_resources import SharedResources
from mediahost.executor.workbench import Workbench, survive
from mediahost.model.job import Failure, Outcome
from mediahost.plugin.registry import Registry
from mediahost.ports import AttemptSpec, Ended

_logger = logging.getLogger("mediahost.executor")


class SharedShift:
    """One worker's working life: attempts on threads, cancellations on one more.

    Args:
        jobs: Number of the socket with attempts in and answers out.
        control: Number of the socket with cancellations in.
    """

    def __init__(self, jobs: int, control: int) -> None:
        self._jobs = private(jobs)
        self._control = private(control)
        self._sending = threading.Lock()
        # Attempts go by their number among those that came; the host counts them too.
        self._cancelled: set[int] = set()
        self._resources = SharedResources()
        self._leftovers = Leftovers()
        self._loads = 0
        self._output = output()
        self._counting = threading.Lock()
        self._present = 0

    def work(self) -> None:
        """Run attempts until no more are to come."""
        divide_output()
        log = logging.StreamHandler()
        log.setFormatter(LINE)
        logging.basicConfig(level=logging.INFO, handlers=[log])
        threading.Thread(target=self._obey, name="control", daemon=True).start()
        arriving = messages(self._jobs)
        hello = next(arriving)
        registry = Registry.load(extra=hello["plugins"])
        survive(registry.plugins.hook.mediahost_worker_started, hello["name"])
        self._leftovers.keep()
        self._send({"kind": "ready"})
        threads: list[threading.Thread] = []
        for number, message in enumerate(arriving, 1):
            self._enter()
            given = registry, number, spec_from_json(message)
            name = f"attempt-{number}"
            thread = threading.Thread(target=self._run, args=given, name=name, daemon=True)
            threads = [one for one in threads if one.is_alive()] + [thread]
            thread.start()
        for thread in threads:
            thread.join()
        survive(registry.plugins.hook.mediahost_worker_stopping, hello["name"])
        self._resources.close()
        self._leftovers.end()

    def _run(self, registry: Registry, number: int, spec: AttemptSpec) -> None:
        def cancelled() -> bool:
            return number in self._cancelled

        def report(fraction: float, message: str) -> None:
            told = {"kind": "progress", "n": number, "at": fraction, "message": message[:200]}
            self._send(told)

        log = AttemptLog(lambda text: self._send({"kind": "log", "n": number, "text": text}))
        borrower = self._resources.borrower(cancelled)
        workbench = Workbench(registry, borrower, program_output=log.pipe)
        with log.listening():
            ended = workbench.run(spec, cancelled=cancelled, report=report, log=log.logger)
        log.finish()
        self._leave()
        self._cancelled.discard(number)
        self._tell(number, spec, ended)

    def _enter(self) -> None:
        with self._counting:
            self._present += 1

    def _leave(self) -> None:
        """The last to leave turns out the lights: whose program it was, nobody can tell before."""
        with self._counting:
            self._present -= 1
            if self._present:
                return
            if self._resources.loads != self._loads:
                # What was loaded may be talking to a program of its own.
                self._loads = self._resources.loads
                self._leftovers.keep()
            elif running := self._leftovers.end():
                _logger.warning("%d programs were left running; they have been ended", running)

    def _tell(self, number: int, spec: AttemptSpec, ended: Ended) -> None:
        message = {
            "kind": "ended",
            "n": number,
            "warm": self._resources.names(),
            "spent": output() != self._output,
        }
        try:
            self._send({**message, **ended_to_json(ended)})
        except ValueError as error:
            failure = Failure(f"The result of {spec.action} can't be sent: {error}")
            failed = Ended(spec.token, Outcome.ERROR, None, failure, ended.elapsed_ms)
            self._send({**message, **ended_to_json(failed)})

    def _send(self, message: dict[str, Any]) -> None:
        frame = pack(message)
        # A host that is gone hears nothing; the control socket tells of that.
        with self._sending, suppress(OSError):
            self._jobs.sendall(frame)

    def _obey(self) -> None:
        for order in messages(self._control):
            self._cancelled.add(order["cancel"])
        # The host is gone. Nobody will hear of these attempts; end all of them, and at once.
        self._leftovers.end()
        os.killpg(0, signal.SIGKILL)
