"""An attempt in the executor's hands."""

import time
from dataclasses import dataclass

from mediahost.executor.verdict import Verdict
from mediahost.ports import AttemptSpec, Ended


@dataclass(slots=True, eq=False)
class Attempt:
    """What is to be run, and how far that is.

    Attributes:
        spec: What to run.
        frame: The same for a worker.
        over: Its end has been told.
        number: Which of its worker's attempts it is, counted from 1; the worker counts too.
        began: When a worker began it, by the monotonic clock; 0: it waits.
        ends_at: When it is killed, by the monotonic clock; None: never.
        doom: What its end will be called unless it gives a result: somebody wants it to stop.
        grace_s: How long it may take to stop by itself.
        passed: How often others went before it, to a worker that was warm for them.
    """

    spec: AttemptSpec
    frame: bytes
    over: bool = False
    number: int = 0
    began: float = 0.0
    ends_at: float | None = None
    doom: Verdict | None = None
    grace_s: float = 0.0
    passed: int = 0

    @property
    def kind(self) -> str:
        """Attempts of the same kind load the same resources: one action with one config."""
        return f"{self.spec.action} {sorted(self.spec.config.items())}"

    def end(self, why: Verdict) -> Ended:
        """Its end, to be told now, where no worker tells it."""
        self.over = True
        outcome, failure = why
        elapsed_s = time.monotonic() - self.began if self.began else 0.0
        return Ended(self.spec.token, outcome, None, failure, round(elapsed_s * 1000))
