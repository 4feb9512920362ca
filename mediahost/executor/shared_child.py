"""A shared child: the host's end of a worker whose attempts run at once."""

import time
from collections.abc import Collection, Sequence

from mediahost.executor.attempt import Attempt
from mediahost.executor.child import Child
from mediahost.executor.frames import BadFrame
from mediahost.executor.joblog import JobLog
from mediahost.executor.worker import SHARED

BESIDE = b"[shared] "


class SharedLog(JobLog):
    """What nobody can tell who wrote: C libraries, threads of a library's own.

    It goes to the logs of all attempts that run; each line is marked where that is several.
    """

    def __init__(self) -> None:
        super().__init__()
        self.logs: dict[int, JobLog] = {}

    def write(self, data: bytes) -> None:
        """Append to all."""
        super().write(data)
        if len(self.logs) > 1:
            lines = data.removesuffix(b"\n").split(b"\n")
            data = b"".join(BESIDE + line + b"\n" for line in lines)
        for log in self.logs.values():
            log.write(data)


class SharedChild(Child):
    """One worker process that runs all that it is given at once, each on a thread.

    Attributes:
        leaving: It takes no more attempts, and ends with its last.
        doom: Why it was killed, as its attempts' failures say it; None: it was not.
    """

    how = (SHARED,)

    def __init__(
        self, name: str, python: str, plugins: Sequence[str], variables: Collection[str] = ()
    ) -> None:
        super().__init__(name, python, plugins, variables)
        self._output = SharedLog()
        self.log = self._output
        self.leaving = False
        self.doom: str | None = None

    def give(self, attempts: Sequence[Attempt]) -> None:
        """Let it run these too."""
        super().give(attempts)
        now = time.monotonic()
        for attempt in attempts:
            self._output.logs[attempt.number] = JobLog(attempt.spec.log_path)
            attempt.began = now
            limit_s = attempt.spec.timeout_s
            attempt.ends_at = None if limit_s is None else now + limit_s

    def numbered(self, number: int) -> Attempt | None:
        """The attempt of this number, while it runs.

        Raises:
            BadFrame: It was never given an attempt with this number.
        """
        if number > self._given:
            raise BadFrame("it tells of an attempt that it was not given")
        return next((attempt for attempt in self.line if attempt.number == number), None)

    def log_of(self, attempt: Attempt) -> JobLog:
        """The log of an attempt that runs."""
        return self._output.logs[attempt.number]

    def end(self, attempt: Attempt) -> None:
        """This one is done."""
        self.line.remove(attempt)
        self._output.logs.pop(attempt.number).close()

    def next_deadline(self) -> float | None:
        """When something must be done about it, by the monotonic clock."""
        deadlines = [self.kill_at, self.abandon_at, *(attempt.ends_at for attempt in self.line)]
        return min((at for at in deadlines if at is not None), default=None)
