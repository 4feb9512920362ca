"""The supervisor: one thread that owns all workers, and what becomes of their attempts."""

import logging
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from mediahost.executor import verdict
from mediahost.executor.child import Attempt, Child
from mediahost.executor.frames import BadFrame
from mediahost.executor.groups import Groups
from mediahost.executor.messages import ended_from_json
from mediahost.executor.verdict import Verdict
from mediahost.executor.waiting import AHEAD, Waiting
from mediahost.model.job import Outcome
from mediahost.ports import Ended, ExecutorEvent, Progress, Started

_logger = logging.getLogger("mediahost.executor")

# Importing a plugin that brings a large framework takes tens of seconds on a cold disk.
START_LIMIT_S = 120.0
# Between jobs a worker has little to finish: `mediahost_worker_stopping`, closing resources.
END_LIMIT_S = 3.0
# A worker that closed its socket is about to exit; this long its exit code is waited for.
EXIT_LIMIT_S = 0.5
# A process that SIGKILL doesn't end hangs in the kernel, on a dead network drive for one.
KILL_LIMIT_S = 10.0
# When a worker can't be started while others run, they get the queue for so long.
START_AGAIN_S = 1.0
WATCH_EVERY_S = 0.25
# Where no pidfd tells of a worker's death, its socket does; this is for one that was passed on.
POLL_S = 0.1
# An idle worker larger than this share of the limit starts the next job with too little room.
LARGE = 0.75


class Supervisor:
    """Starts, feeds, watches and ends workers. Only `post` may be called from other threads.

    Args:
        workers: How many attempts run at once.
        python: The workers' interpreter.
        plugins: Plugins that workers load besides the installed ones.
        max_rss_bytes: Resident memory that a worker may hold; None: any.
        tell: Gets each event; it doesn't raise.
    """

    def __init__(
        self,
        workers: int,
        python: str,
        plugins: Sequence[str],
        max_rss_bytes: int | None,
        tell: Callable[[ExecutorEvent], None],
    ) -> None:
        self._workers = workers
        self._python = python
        self._plugins = plugins
        self._max_rss_bytes = max_rss_bytes
        self._tell = tell
        self._orders: deque[Callable[[], None]] = deque()
        self._waiting = Waiting()
        self._crew: list[Child] = []
        self._idle: list[Child] = []
        self._retired: list[Child] = []
        self._undead: list[Child] = []
        self._groups = Groups()
        self._selector = selectors.DefaultSelector()
        self._alarm, self._bell = socket.socketpair()
        self._alarm.settimeout(0)
        self._bell.settimeout(0)
        self._asleep = False
        self._stopping = False
        self._started = 0
        self._start_again_at = 0.0
        self._watch_at = 0.0

    # --- from any thread

    def post(self, order: Callable[[], None]) -> None:
        """Have something done on the supervisor's thread."""
        self._orders.append(order)
        if self._asleep:
            with suppress(OSError):  # full: it will wake anyhow; closed: it is over
                self._bell.send(b"!")

    def warm(self) -> frozenset[str]:
        """What idle workers keep loaded."""
        return frozenset().union(*(child.warm for child in tuple(self._idle)))

    # --- orders

    def queue(self, attempt: Attempt) -> None:
        """Run an attempt as soon as a worker is free."""
        if self._stopping:
            self._end(attempt, verdict.stopped(attempt.spec.action))
        else:
            self._waiting.add(attempt)

    def cancel(self, attempt: Attempt, grace_s: float) -> None:
        """End an attempt, first gently."""
        if not attempt.over:
            self._doom(attempt, verdict.cancelled(), grace_s)

    def stop(self, grace_s: float | None) -> None:
        """Take no more; end attempts after `grace_s` seconds, None: let them finish."""
        self._stopping = True
        if grace_s is None:
            return
        in_line = [attempt for child in self._crew for attempt in child.line]
        for attempt in (*self._waiting.clear(), *in_line):
            if not attempt.over:
                why = attempt.doom or verdict.stopped(attempt.spec.action)
                self._doom(attempt, why, grace_s)

    def _doom(self, attempt: Attempt, why: Verdict, grace_s: float) -> None:
        attempt.doom = why
        attempt.grace_s = grace_s
        child = next((child for child in self._crew if attempt in child.line), None)
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
        self._selector.register(self._alarm, selectors.EVENT_READ, self._woken)
        try:
            while not self._done():
                self._turn()
        finally:
            self._leave()

    def _turn(self) -> None:
        self._asleep = True
        timeout = 0.0 if self._orders else self._until_next()
        ready = self._selector.select(timeout)
        self._asleep = False
        for key, _ in ready:
            key.data()
        while self._orders:
            self._orders.popleft()()
        self._enforce(time.monotonic())
        self._assign()
        if self._stopping and not self._waiting:
            self._send_home()

    def _woken(self) -> None:
        with suppress(BlockingIOError):
            self._alarm.recv(4096)

    def _done(self) -> bool:
        return self._stopping and not (self._orders or self._waiting or self._crew or self._retired)

    def _leave(self) -> None:
        """Nothing may be left, not even after an error of our own."""
        for child in (*self._crew, *self._retired):
            self._bury(child)
        for attempt in self._waiting.clear():
            self._end(attempt, verdict.stopped(attempt.spec.action))
        self._groups.close()
        self._selector.close()
        self._alarm.close()
        self._bell.close()

    # --- attempts go out

    def _assign(self) -> None:
        while (attempt := self._waiting.first()) and (child := self._worker_for(attempt)):
            self._give(child)
        starting = sum(not child.ready for child in self._crew)
        now = time.monotonic()
        while (
            len(self._waiting) > starting
            and len(self._crew) < self._workers
            and now >= self._start_again_at
        ):
            self._start()
            starting += 1

    def _worker_for(self, attempt: Attempt) -> Child | None:
        if self._idle:
            # One that has loaded what this action needs, else the one that worked last.
            action = attempt.spec.action
            return next((one for one in self._idle if action in one.actions), self._idle[-1])
        if not self._waiting.is_quick(attempt):
            return None
        return next((child for child in self._crew if self._takes_more(child)), None)

    def _takes_more(self, child: Child) -> bool:
        """Whether it runs short of quick attempts."""
        running = child.attempt
        return (
            running is not None
            and len(child.line) <= AHEAD // 2
            and self._waiting.is_quick(running)
            and not (child.recalling or child.spent)
        )

    def _give(self, child: Child) -> None:
        share = -(-len(self._waiting) // len(self._crew))
        attempts = self._waiting.take(min(AHEAD, share))
        was_idle = child.attempt is None
        child.give(attempts)
        if was_idle:
            self._idle.remove(child)
            self._begin(child)
        if child.is_full():
            self._listen(child, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def _start(self) -> None:
        self._started += 1
        try:
            child = Child(f"worker-{self._started}", self._python, self._plugins)
        except OSError as error:
            self._not_started(verdict.not_started(self._python, str(error)))
            return
        child.kill_at = time.monotonic() + START_LIMIT_S
        self._crew.append(child)
        self._groups.add(child.process.pid)
        self._selector.register(child.jobs, selectors.EVENT_READ, partial(self._hear, child))
        self._selector.register(child.output, selectors.EVENT_READ, partial(self._read, child))
        if child.pidfd is not None:
            self._selector.register(child.pidfd, selectors.EVENT_READ, partial(self._bury, child))

    def _not_started(self, why: Verdict) -> None:
        """Each failure to start costs one attempt, so it ends; unless others can run it."""
        self._start_again_at = time.monotonic() + START_AGAIN_S
        if any(child.ready for child in self._crew):
            _logger.warning("%s", why[1].message)
        else:
            self._start_again_at = 0.0
            for attempt in self._waiting.take(1):
                self._end(attempt, why)

    # --- answers come in

    def _hear(self, child: Child) -> None:
        if child.gone:
            return
        if child.is_full():
            child.send_more()
            if not child.is_full():
                self._listen(child, selectors.EVENT_READ)
        self._receive(child)
        if child.silent:
            self._selector.unregister(child.jobs)
            child.kill_at = time.monotonic() + EXIT_LIMIT_S

    def _receive(self, child: Child) -> None:
        try:
            for message in child.receive():
                self._understand(child, message)
        except (BadFrame, ValueError, KeyError, TypeError):
            if child.attempt:
                child.attempt.doom = verdict.talked_nonsense(child.attempt.spec.action)
            self._kill(child)

    def _begin(self, child: Child) -> None:
        """Its next attempt runs, as far as can be told from here."""
        attempt = child.begin(time.monotonic())
        if attempt is None:
            self._idle.append(child)
        else:
            self._tell(Started(attempt.spec.token))

    def _understand(self, child: Child, message: dict[str, Any]) -> None:
        if message["kind"] == "ready":
            child.ready = True
            child.kill_at = None
            self._idle.append(child)
            return
        if message["kind"] == "returned":
            self._take_back(child.returned(message["after"], message["upto"]))
            if not child.line and child not in self._idle:
                self._go_on(child, spent=child.spent)
            return
        attempt = child.attempt
        if attempt is None or message["n"] != attempt.number:
            return  # a thread that outlived its attempt
        if message["kind"] == "progress":
            self._tell(Progress(attempt.spec.token, message["at"], message["message"]))
            return
        ended = ended_from_json(attempt.spec.token, message)
        child.warm = frozenset(message["warm"])
        if child.warm:
            child.actions.add(attempt.spec.action)
        else:
            child.actions.clear()
        wrote = child.finish()
        if attempt.doom and ended.outcome is not Outcome.OK:
            self._end(attempt, attempt.doom)
        else:
            attempt.over = True
            self._waiting.learn(attempt.spec.action, ended.elapsed_ms, loud=wrote)
            self._tell(ended)
        self._go_on(child, spent=message["spent"] or self._is_large(child))

    def _go_on(self, child: Child, *, spent: bool) -> None:
        """Let it run the next in line; one of no more use gives them back and ends."""
        child.spent = child.spent or spent
        if child.spent and child.line and not child.recalling:
            child.recall()
        self._begin(child)
        if child.spent and not child.line:
            self._retire(child)

    def _take_back(self, attempts: list[Attempt]) -> None:
        """Attempts that no worker has begun are as if they had never been given to one."""
        for attempt in attempts:
            attempt.began = 0.0
            if attempt.doom:
                self._end(attempt, attempt.doom)
        self._waiting.put_back(attempts)

    def _is_large(self, child: Child) -> bool:
        limit = self._max_rss_bytes
        return limit is not None and child.resident.read() > limit * LARGE

    def _read(self, child: Child) -> None:
        if not child.gone and not child.read_output():
            self._selector.unregister(child.output)

    def _listen(self, child: Child, events: int) -> None:
        self._selector.modify(child.jobs, events, partial(self._hear, child))

    def _end(self, attempt: Attempt, why: Verdict) -> None:
        if not attempt.over:
            attempt.over = True
            elapsed_s = time.monotonic() - attempt.began if attempt.began else 0.0
            outcome, failure = why
            self._tell(Ended(attempt.spec.token, outcome, None, failure, round(elapsed_s * 1000)))

    # --- deadlines

    def _until_next(self) -> float | None:
        """Seconds until something must be done that nobody rings for; None: never."""
        everybody = (*self._crew, *self._retired)
        deadlines = [at for child in everybody if (at := child.next_deadline()) is not None]
        if self._max_rss_bytes and any(child.attempt for child in self._crew):
            deadlines.append(self._watch_at)
        if self._waiting and len(self._crew) < self._workers:
            deadlines.append(self._start_again_at)
        now = time.monotonic()
        if any(child.pidfd is None for child in everybody):
            deadlines.append(now + POLL_S)
        return max(0.0, min(deadlines) - now) if deadlines else None

    def _enforce(self, now: float) -> None:
        for child in (*self._crew, *self._retired):
            attempt = child.attempt
            dead = child.pidfd is None and child.is_dead()
            if dead or (child.abandon_at is not None and now >= child.abandon_at):
                self._bury(child)
            elif child.kill_at is not None and now >= child.kill_at:
                self._kill(child)
            elif attempt and attempt.ends_at is not None and now >= attempt.ends_at:
                limit_s = attempt.spec.timeout_s or 0.0
                attempt.doom = attempt.doom or verdict.timed_out(attempt.spec.action, limit_s)
                self._kill(child)
            elif child.holds_up_others(now):
                child.recall()
        if self._max_rss_bytes and now >= self._watch_at:
            self._watch_at = now + WATCH_EVERY_S
            self._weigh(self._max_rss_bytes)

    def _weigh(self, limit: int) -> None:
        for child in self._crew:
            attempt = child.attempt
            if attempt and not attempt.doom and (used := child.resident.read()) > limit:
                attempt.doom = verdict.too_large(attempt.spec.action, used, limit)
                self._kill(child)

    def _kill(self, child: Child) -> None:
        child.kill()
        child.kill_at = None
        child.abandon_at = time.monotonic() + KILL_LIMIT_S
        if child.attempt:
            child.attempt.ends_at = None

    # --- workers end

    def _send_home(self) -> None:
        for child in tuple(self._idle):
            self._retire(child)
        for child in self._crew:
            if not child.ready and child.abandon_at is None:
                self._kill(child)

    def _retire(self, child: Child) -> None:
        """Let an idle worker end in order; its place is free at once."""
        self._idle.remove(child)
        self._crew.remove(child)
        self._retired.append(child)
        child.kill_at = time.monotonic() + END_LIMIT_S
        child.ask_to_end()

    def _bury(self, child: Child) -> None:
        """A worker is dead, or as good as dead."""
        if child.gone:
            return
        self._receive(child)
        for watched in (child.jobs, child.output, child.pidfd):
            with suppress(KeyError, ValueError):  # not watched any more, or never
                self._selector.unregister(watched)  # type: ignore[arg-type]
        log = child.log
        code = child.bury()
        self._groups.remove(child.process.pid)
        for place in (self._crew, self._idle, self._retired):
            if child in place:
                place.remove(child)
        if code is None:
            self._undead.append(child)
        if child.attempt is not None:
            attempt = child.line.popleft()
            self._end(attempt, attempt.doom or verdict.crashed(attempt.spec.action, code, log))
            self._take_back(list(child.line))
        elif not child.ready:
            self._not_started(verdict.start_failed(self._python, code, log))
