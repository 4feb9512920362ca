"""The shared supervisor: one thread, one worker process, and attempts that run in it at once."""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

from mediahost.executor import verdict
from mediahost.executor.answers import (
    Answer,
    AttemptEnded,
    Logged,
    Progressed,
    Ready,
    Returned,
    check_hash,
)
from mediahost.executor.attempt import Attempt
from mediahost.executor.crew import Crew
from mediahost.executor.frames import BadFrame
from mediahost.executor.orders import Orders
from mediahost.executor.shared_child import SharedChild
from mediahost.executor.supervisor import START_AGAIN_S, WATCH_EVERY_S
from mediahost.executor.verdict import Verdict
from mediahost.model.job import Outcome
from mediahost.ports import ExecutorEvent, Progress, Started

# One past its time limit is asked to stop first: killing it would cost its neighbours their work.
LATE_GRACE_S = 2.0


class SharedSupervisor:
    """Feeds one worker, judges what comes back. Only `post` and `warm` are for other threads.

    What can't be ended alone is ended with the process. Attempts beside it end as lost, which is
    no failure of theirs. The same where the process died and nobody can tell whose fault it was.

    Args:
        name: What its workers' names begin with.
        slots: How many attempts run at once.
        python: The workers' interpreter.
        plugins: Plugins that workers load besides the installed ones.
        max_rss_bytes: Resident memory that the worker may hold; None: any.
        variables: What of the host's environment workers get besides the usual.
        tell: Gets each event; it doesn't raise.
    """

    def __init__(
        self,
        name: str,
        slots: int,
        *,
        python: str,
        plugins: Sequence[str],
        max_rss_bytes: int | None,
        variables: Collection[str],
        tell: Callable[[ExecutorEvent], None],
    ) -> None:
        self._slots = slots
        self._python = python
        self._max_rss_bytes = max_rss_bytes
        self._tell = tell
        self._waiting: deque[Attempt] = deque()
        hire = partial(SharedChild, python=python, plugins=plugins, variables=variables)
        self._crew = Crew(name, hire, heard=self._receive, ended=self._bury)
        self._orders = Orders(self._crew.selector)
        self._stopping = False
        self._start_again_at = 0.0
        self._weigh_at = 0.0

    # --- from any thread

    def post(self, order: Callable[[], None]) -> None:
        """Have something done on the supervisor's thread."""
        self._orders.post(order)

    def warm(self) -> frozenset[str]:
        """What the worker keeps loaded, while it has room."""
        members = tuple(self._crew.members)
        return frozenset().union(*(one.warm for one in members if len(one.line) < self._slots))

    # --- orders

    def queue(self, attempts: Sequence[Attempt]) -> None:
        """Run attempts as soon as there is room."""
        if not self._stopping:
            self._waiting.extend(attempts)
            return
        for attempt in attempts:
            self._end(attempt, verdict.stopped(attempt.spec.action))

    def cancel(self, attempt: Attempt, grace_s: float) -> None:
        """End an attempt, first gently."""
        if not attempt.over:
            self._doom(attempt, verdict.cancelled(), grace_s)

    def stop(self, grace_s: float | None) -> None:
        """Take no more; end attempts after `grace_s` seconds, None: let them finish."""
        self._stopping = True
        if grace_s is None:
            return
        for attempt in (*self._waiting, *self._running()):
            if not attempt.over:
                self._doom(attempt, attempt.doom or verdict.stopped(attempt.spec.action), grace_s)

    def _doom(self, attempt: Attempt, why: Verdict, grace_s: float) -> None:
        attempt.doom = why
        child = next((child for child in self._crew.members if attempt in child.line), None)
        if child is None:
            self._end(attempt, why)
            return
        child.ask_to_stop(attempt)
        ends_at = time.monotonic() + grace_s
        attempt.ends_at = min(ends_at, attempt.ends_at or ends_at)

    def _running(self) -> list[Attempt]:
        return [attempt for child in self._crew.members for attempt in child.line]

    # --- the thread

    def run(self) -> None:
        """Work until stopped and done."""
        try:
            while not self._done():
                self._turn()
        finally:
            self._close()

    def _turn(self) -> None:
        self._orders.wait(self._until_next())
        self._enforce(time.monotonic())
        self._assign()
        for child in tuple(self._crew.members):
            if self._stopping and not self._waiting:
                child.leaving = True
            if child.leaving:
                self._send_home(child)

    def _done(self) -> bool:
        return self._stopping and not (self._orders or self._waiting or self._crew.everybody())

    def _close(self) -> None:
        """Nothing may be left, not even after an error of our own."""
        for child in self._crew.everybody():
            self._bury(child)
        for attempt in self._waiting:
            self._end(attempt, verdict.stopped(attempt.spec.action))
        self._crew.close()
        self._orders.close()

    # --- attempts go out

    def _assign(self) -> None:
        while self._waiting and self._waiting[0].over:
            self._waiting.popleft()
        if not self._waiting:
            return
        child = next((child for child in self._crew.members if not child.leaving), None)
        if child is None:
            if time.monotonic() >= self._start_again_at:
                self._start()
            return
        while self._waiting and child.ready and len(self._running()) < self._slots:
            attempt = self._waiting.popleft()
            if not attempt.over:
                child.give([attempt])
                self._tell(Started(attempt.spec.token))
        if child.is_full():
            self._crew.watch_for_room(child)

    def _start(self) -> None:
        try:
            self._crew.start()
        except OSError as error:
            self._not_started(verdict.not_started(self._python, str(error)))

    def _not_started(self, why: Verdict) -> None:
        """Each failure to start costs one attempt, so it ends."""
        self._start_again_at = time.monotonic() + START_AGAIN_S
        if self._waiting:
            self._end(self._waiting.popleft(), why)

    def _send_home(self, child: SharedChild) -> None:
        """Let it end in order once it has nothing to do."""
        if child.abandon_at is not None:
            return
        if self._stopping and not child.ready:
            self._kill(child, "the host stopped")
        elif not child.line and not child.silent:
            self._crew.retire(child)

    # --- answers come in

    def _receive(self, child: SharedChild) -> None:
        try:
            messages = child.receive()
            # What was written before an answer was sent is in the pipe by now.
            child.read_output()
            for message in messages:
                self._understand(child, message)
        except BadFrame as error:
            for attempt in child.line:
                if len(child.line) == 1 and not attempt.doom:
                    attempt.doom = verdict.talked_nonsense(attempt.spec.action, str(error))
            self._kill(child, "it broke its protocol")
        child.leaving = child.leaving or child.silent

    def _understand(self, child: SharedChild, answer: Answer) -> None:
        if isinstance(answer, Ready):
            child.is_ready()
            return
        if isinstance(answer, Returned):
            raise BadFrame("it gives back attempts that it was not asked for")
        attempt = child.numbered(answer.n)
        if attempt is None:
            return  # a thread that outlived its attempt
        match answer:
            case Progressed():
                self._tell(Progress(attempt.spec.token, answer.at, answer.message))
            case Logged():
                child.log_of(attempt).write(answer.text.encode(errors="backslashreplace"))
            case AttemptEnded():
                self._ended(child, attempt, answer)

    def _ended(self, child: SharedChild, attempt: Attempt, answer: AttemptEnded) -> None:
        ended = answer.ended(attempt.spec.token)
        check_hash(ended, attempt.spec.algorithm)
        child.warm = frozenset(answer.warm)
        child.end(attempt)
        if attempt.doom and ended.outcome is not Outcome.OK:
            self._end(attempt, attempt.doom)
        else:
            attempt.over = True
            self._tell(ended)
        if answer.spent or child.is_large(self._max_rss_bytes):
            child.leaving = True

    def _bury(self, child: SharedChild) -> None:
        if child.gone:
            return
        self._receive(child)
        code = self._crew.bury(child)
        if not child.ready and self._waiting:
            self._not_started(verdict.start_failed(self._python, code, child.log))
        for attempt, why in _judged(child, code):
            child.end(attempt)
            self._end(attempt, why)

    def _end(self, attempt: Attempt, why: Verdict) -> None:
        if not attempt.over:
            self._tell(attempt.end(why))

    # --- deadlines

    def _until_next(self) -> float | None:
        """Seconds until something must be done that nobody rings for; None: never."""
        deadlines = self._crew.deadlines()
        if self._max_rss_bytes and self._running():
            deadlines.append(self._weigh_at)
        if self._waiting and not self._crew.members:
            deadlines.append(self._start_again_at)
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _enforce(self, now: float) -> None:
        for child in self._crew.everybody():
            dead = child.pidfd is None and child.is_dead()
            if dead or (child.abandon_at is not None and now >= child.abandon_at):
                self._bury(child)
            elif child.kill_at is not None and now >= child.kill_at:
                self._kill(child, "it did not end in time")
            else:
                self._end_late(child, now)
        if self._max_rss_bytes and now >= self._weigh_at:
            self._weigh_at = now + WATCH_EVERY_S
            for child in tuple(self._crew.members):
                self._weigh(child, self._max_rss_bytes)

    def _end_late(self, child: SharedChild, now: float) -> None:
        for attempt in child.line:
            if attempt.ends_at is None or now < attempt.ends_at:
                continue
            if attempt.doom is None:
                limit_s = attempt.spec.timeout_s or 0.0
                attempt.doom = verdict.timed_out(attempt.spec.action, limit_s)
                attempt.ends_at = now + LATE_GRACE_S
                child.ask_to_stop(attempt)
            else:
                self._kill(child, f"{attempt.spec.action} had to be ended there")
                return

    def _weigh(self, child: SharedChild, limit: int) -> None:
        if child.line and not child.doom and (used := child.resident.read()) > limit:
            if len(child.line) == 1:
                attempt = child.line[0]
                attempt.doom = attempt.doom or verdict.too_large(attempt.spec.action, used, limit)
            self._kill(child, "it used too much memory")

    def _kill(self, child: SharedChild, why: str) -> None:
        """End a worker and all that it runs; that it has ended is told later."""
        child.leaving = True
        child.doom = child.doom or why
        self._crew.kill(child)


def _judged(child: SharedChild, code: int | None) -> Iterable[tuple[Attempt, Verdict]]:
    """What becomes of the attempts of a worker that is gone."""
    left = list(child.line)
    for attempt in left:
        if attempt.doom:
            yield attempt, attempt.doom
        elif child.doom is None and len(left) == 1:
            yield attempt, verdict.crashed(attempt.spec.action, code, child.log)
        else:
            why = child.doom or f"it {verdict.how_it_ended(code)}"
            yield attempt, verdict.lost_beside(attempt.spec.action, why, len(left) - 1, child.log)
