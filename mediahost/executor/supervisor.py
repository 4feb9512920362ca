"""The supervisor: one thread that owns all workers, and what becomes of their attempts."""

import logging
import time
from collections.abc import Callable, Collection, Sequence
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
from mediahost.executor.child import Child
from mediahost.executor.crew import Crew
from mediahost.executor.frames import BadFrame
from mediahost.executor.orders import Orders
from mediahost.executor.verdict import Verdict
from mediahost.executor.waiting import Waiting
from mediahost.model.job import Outcome
from mediahost.ports import ExecutorEvent, Progress, Started

_logger = logging.getLogger("mediahost.executor")

# When a worker can't be started while others run, they get the queue for so long.
START_AGAIN_S = 1.0
WATCH_EVERY_S = 0.25
# While each worker has so many quick attempts in line, answers are left to gather: to be woken for
# each costs a host and its workers more than a short attempt does.
STOCKED = 16
GATHER_S = 0.002


class Supervisor:
    """Feeds workers, judges what comes back. Only `post` and `warm` are for other threads.

    Args:
        name: What its workers' names begin with.
        workers: How many attempts run at once.
        python: The workers' interpreter.
        plugins: Plugins that workers load besides the installed ones.
        max_rss_bytes: Resident memory that a worker may hold; None: any.
        variables: What of the host's environment workers get besides the usual.
        tell: Gets each event; it doesn't raise.
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
        tell: Callable[[ExecutorEvent], None],
    ) -> None:
        self._workers = workers
        self._python = python
        self._max_rss_bytes = max_rss_bytes
        self._tell = tell
        self._waiting = Waiting()
        hire = partial(Child, python=python, plugins=plugins, variables=variables)
        self._crew = Crew(name, hire, heard=self._receive, ended=self._bury)
        self._orders = Orders(self._crew.selector)
        self._stopping = False
        self._start_again_at = 0.0
        self._watch_at = 0.0

    # --- from any thread

    def post(self, order: Callable[[], None]) -> None:
        """Have something done on the supervisor's thread."""
        self._orders.post(order)

    def warm(self) -> frozenset[str]:
        """What idle workers keep loaded."""
        return frozenset().union(*(child.warm for child in tuple(self._crew.idle)))

    # --- orders

    def queue(self, attempts: Sequence[Attempt]) -> None:
        """Run attempts as soon as a worker is free."""
        if not self._stopping:
            self._waiting.add(attempts)
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
        in_line = [attempt for child in self._crew.members for attempt in child.line]
        for attempt in (*self._waiting.clear(), *in_line):
            if not attempt.over:
                why = attempt.doom or verdict.stopped(attempt.spec.action)
                self._doom(attempt, why, grace_s)

    def _doom(self, attempt: Attempt, why: Verdict, grace_s: float) -> None:
        attempt.doom = why
        attempt.grace_s = grace_s
        child = next((child for child in self._crew.members if attempt in child.line), None)
        if child is None:
            self._end(attempt, why)
            return
        child.ask_to_stop(attempt)
        if attempt.began:
            ends_at = time.monotonic() + grace_s
            attempt.ends_at = min(ends_at, attempt.ends_at or ends_at)

    # --- the thread

    def run(self) -> None:
        """Work until stopped and done."""
        try:
            while not self._done():
                self._turn()
        finally:
            self._leave()

    def _turn(self) -> None:
        if self._is_stocked():
            time.sleep(GATHER_S)
        self._orders.wait(self._until_next())
        self._enforce(time.monotonic())
        self._assign()
        if self._stopping and not self._waiting:
            self._crew.send_home()

    def _is_stocked(self) -> bool:
        """Whether no worker runs short of attempts soon."""
        members = self._crew.members
        return bool(members) and all(len(child.line) >= STOCKED for child in members)

    def _done(self) -> bool:
        return self._stopping and not (self._orders or self._waiting or self._crew.everybody())

    def _leave(self) -> None:
        """Nothing may be left, not even after an error of our own."""
        for child in self._crew.everybody():
            self._bury(child)
        for attempt in self._waiting.clear():
            self._end(attempt, verdict.stopped(attempt.spec.action))
        self._crew.close()
        self._orders.close()

    # --- attempts go out

    def _assign(self) -> None:
        while (attempt := self._waiting.first()) and (child := self._worker_for(attempt)):
            self._give(child)
        while self._is_short_handed():
            if time.monotonic() < self._start_again_at:
                break
            try:
                self._crew.start()
            except OSError as error:
                self._not_started(verdict.not_started(self._python, str(error)))

    def _is_short_handed(self) -> bool:
        """Whether there is work for one more worker, besides those that are starting."""
        members = self._crew.members
        starting = sum(not child.ready for child in members)
        return len(self._waiting) > starting and len(members) < self._workers

    def _worker_for(self, attempt: Attempt) -> Child | None:
        if idle := self._crew.idle:
            # One that has loaded what this attempt needs, else the one that worked last.
            if not any(one.kinds for one in idle):
                return idle[-1]
            return next((one for one in idle if attempt.kind in one.kinds), idle[-1])
        if not self._waiting.is_quick(attempt):
            return None
        return next((child for child in self._crew.members if self._takes_more(child)), None)

    def _takes_more(self, child: Child) -> bool:
        """Whether it runs short of quick attempts."""
        running = child.attempt
        return (
            running is not None
            and len(child.line) <= self._waiting.ahead(running) // 2
            and self._waiting.is_quick(running)
            and not (child.recalling or child.spent or child.silent)
        )

    def _give(self, child: Child) -> None:
        was_idle = child.attempt is None
        if was_idle and child.kinds:
            self._waiting.prefer(child.kinds)
        first = self._waiting.first()
        ahead = self._waiting.ahead(first) if first else 1
        share = -(-len(self._waiting) // len(self._crew.members))
        child.give(self._waiting.take(min(ahead, share)))
        if was_idle:
            self._crew.idle.remove(child)
            self._begin(child)
        if child.is_full():
            self._crew.watch_for_room(child)

    def _begin(self, child: Child) -> None:
        """Its next attempt runs, as far as can be told from here."""
        attempt = child.begin(time.monotonic())
        if attempt is not None:
            self._tell(Started(attempt.spec.token))
        elif not child.silent:
            self._crew.idle.append(child)

    def _not_started(self, why: Verdict) -> None:
        """Each failure to start costs one attempt, so it ends; unless others can run it."""
        if any(child.ready for child in self._crew.members):
            _logger.warning("%s", why[1].message)
            self._start_again_at = time.monotonic() + START_AGAIN_S
            return
        for attempt in self._waiting.take(1):
            self._end(attempt, why)

    # --- answers come in

    def _receive(self, child: Child) -> None:
        try:
            messages = child.receive()
            # Once for all of them: what was written before an answer was sent is in the pipe.
            child.read_output()
            for message in messages:
                self._understand(child, message)
        except BadFrame as error:
            if attempt := child.attempt:
                why = verdict.talked_nonsense(attempt.spec.action, str(error))
                attempt.doom = attempt.doom or why
            self._crew.kill(child)

    def _understand(self, child: Child, answer: Answer) -> None:
        match answer:
            case Ready():
                child.is_ready()
                self._begin(child)
            case Returned():
                self._returned(child, child.returned(answer.after, answer.upto))
            case Progressed() | AttemptEnded() if child.began_number(answer.n):
                attempt = child.line[0]
                if isinstance(answer, AttemptEnded):
                    self._ended(child, attempt, answer)
                else:
                    self._tell(Progress(attempt.spec.token, answer.at, answer.message))
            case Logged():
                raise BadFrame("its attempts don't run at once")
            case _:
                pass  # a thread that outlived its attempt

    def _ended(self, child: Child, attempt: Attempt, answer: AttemptEnded) -> None:
        ended = answer.ended(attempt.spec.token)
        check_hash(ended, attempt.spec.algorithm)
        child.keeps(answer.warm, attempt)
        wrote = child.finish()
        if attempt.doom and ended.outcome is not Outcome.OK:
            self._end(attempt, attempt.doom)
        else:
            attempt.over = True
            self._waiting.learn(
                attempt.spec.action,
                ended.elapsed_ms,
                loud=wrote,
                interrupted=answer.interrupted,
            )
            self._tell(ended)
        child.spent = answer.spent or child.is_large(self._max_rss_bytes)
        if child.spent and child.line:
            child.recall()
        self._go_on(child)

    def _go_on(self, child: Child) -> None:
        """Let it run the next in line, or end if it is of no more use."""
        self._begin(child)
        if child.spent and child in self._crew.idle:
            self._crew.retire(child)

    def _returned(self, child: Child, attempts: list[Attempt]) -> None:
        self._take_back(attempts)
        if attempts and not child.line:
            self._go_on(child)

    def _take_back(self, attempts: list[Attempt]) -> None:
        """Attempts that no worker has begun are as if they had never been given to one."""
        for attempt in attempts:
            attempt.began = 0.0
            if attempt.doom:
                self._end(attempt, attempt.doom)
        self._waiting.put_back(attempts)

    def _bury(self, child: Child) -> None:
        if child.gone:
            return
        self._receive(child)
        log = child.log
        code = self._crew.bury(child)
        if child.line:
            attempt = child.line.popleft()
            self._end(attempt, attempt.doom or verdict.crashed(attempt.spec.action, code, log))
            self._take_back(list(child.line))
        elif not child.ready and self._waiting:
            self._not_started(verdict.start_failed(self._python, code, log))

    def _end(self, attempt: Attempt, why: Verdict) -> None:
        if not attempt.over:
            self._tell(attempt.end(why))

    # --- deadlines

    def _until_next(self) -> float | None:
        """Seconds until something must be done that nobody rings for; None: never."""
        deadlines = self._crew.deadlines()
        if self._max_rss_bytes and any(child.attempt for child in self._crew.members):
            deadlines.append(self._watch_at)
        if self._is_short_handed():
            deadlines.append(self._start_again_at)
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _enforce(self, now: float) -> None:
        for child in self._crew.everybody():
            attempt = child.attempt
            dead = child.pidfd is None and child.is_dead()
            if dead or (child.abandon_at is not None and now >= child.abandon_at):
                self._bury(child)
            elif child.kill_at is not None and now >= child.kill_at:
                self._crew.kill(child)
            elif attempt and attempt.ends_at is not None and now >= attempt.ends_at:
                limit_s = attempt.spec.timeout_s or 0.0
                attempt.doom = attempt.doom or verdict.timed_out(attempt.spec.action, limit_s)
                self._crew.kill(child)
            elif child.holds_up_others(now):
                child.recall()
        if self._max_rss_bytes and now >= self._watch_at:
            self._watch_at = now + WATCH_EVERY_S
            self._weigh(self._max_rss_bytes)

    def _weigh(self, limit: int) -> None:
        for child in self._crew.members:
            attempt = child.attempt
            if attempt and not attempt.doom and (used := child.resident.read()) > limit:
                attempt.doom = verdict.too_large(attempt.spec.action, used, limit)
                self._crew.kill(child)
