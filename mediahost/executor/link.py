"""The link: a worker's end of the two sockets to its host."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from mediahost.executor.descriptors import messages, private
from mediahost.executor.frames import pack
from mediahost.executor.messages import ended_to_json
from mediahost.model.job import Failure, Outcome
from mediahost.ports import AttemptSpec, Ended

PROGRESS_EVERY_S = 0.05
PROGRESS_CHARS = 200


class Link:
    """Attempts and orders come in, answers go out; from any thread.

    Attempts go by their number among those that came; the host counts them too.

    Args:
        jobs: Number of the socket with attempts in and answers out.
        control: Number of the socket with orders in.
    """

    def __init__(self, jobs: int, control: int) -> None:
        self._jobs = private(jobs)
        self._control = private(control)
        self._sending = threading.Lock()

    def attempts(self) -> Iterator[dict[str, Any]]:
        """What is to be run, after a greeting, until no more is to come."""
        return messages(self._jobs)

    def orders(self) -> Iterator[dict[str, Any]]:
        """What the host wants of attempts, until it is gone."""
        return messages(self._control)

    def send(self, message: dict[str, Any]) -> None:
        """Tell the host; one that is gone hears nothing, and the orders' end tells of that.

        Raises:
            ValueError: It can't be written down.
        """
        frame = pack(message)
        with self._sending, suppress(OSError):
            self._jobs.sendall(frame)

    def send_end(self, number: int, spec: AttemptSpec, ended: Ended, **about: object) -> None:
        """Tell how an attempt ended, if only that its result can't be told.

        Args:
            number: The attempt's.
            spec: What was run.
            ended: How it ended.
            about: What the host is to know of the worker.
        """
        message = {"kind": "ended", "n": number, **about}
        try:
            self.send({**message, **ended_to_json(ended)})
        except ValueError as error:
            failure = Failure(f"The result of {spec.action} can't be sent: {error}")
            failed = Ended(spec.token, Outcome.ERROR, None, failure, ended.elapsed_ms)
            self.send({**message, **ended_to_json(failed)})

    def reporter(self, number: int) -> Callable[[float, str], None]:
        """What tells the progress of an attempt, though not each time."""
        last = [0.0]

        def report(fraction: float, message: str) -> None:
            now = time.monotonic()
            if now - last[0] >= PROGRESS_EVERY_S and fraction == fraction:  # noqa: PLR0124 - NaN
                last[0] = now
                at = min(max(0.0, float(fraction)), 1.0)
                told = str(message)[:PROGRESS_CHARS]
                self.send({"kind": "progress", "n": number, "at": at, "message": told})

        return report
