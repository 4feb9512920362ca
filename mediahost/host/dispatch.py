"""Dispatch: claim jobs, have them run, commit how they ended, again and again."""

import gc
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from uuid import UUID

from mediahost.host.alone import GIVE_WAY_S, Alone
from mediahost.host.artifacts import ArtifactFolder
from mediahost.host.attempts import Attempts, FollowUps
from mediahost.host.awaited import Awaited
from mediahost.host.crash import crash_point
from mediahost.host.every import Every
from mediahost.host.fetching import Fetched, Fetching
from mediahost.host.in_hand import Held, InHand
from mediahost.host.inbox import Inbox
from mediahost.host.intake import CLAIM_POLL_S, Intake
from mediahost.host.presence import Presence
from mediahost.host.roster import Roster
from mediahost.host.schedule import READ_AHEAD_S, SHORT_JOB_S, Schedule
from mediahost.host.settling import Settling
from mediahost.host.telling import Listener, Teller
from mediahost.host.upkeep import Upkeep
from mediahost.model.event import EventKind
from mediahost.model.hosts import HostStatus
from mediahost.model.job import ClaimedJob, JobRequest, Outcome
from mediahost.ports import Ended, Executor, ExecutorEvent, Progress, Started, Store

TICK_S = 0.05
# An attempt that was claimed ahead and runs for so long is known to run in the store too.
BEGUN_S = 0.1
LOOK_AHEAD_S = 0.5
# With nothing to do for a while it looks less often. What this host submits wakes it.
IDLE_AFTER_S = 1.0
IDLE_POLL_S = 0.5
# While twice as many are in hand, so many attempts are committed together, if they end in so long.
ENOUGH = 64
GATHER_S = 0.005


class _Woken:
    """There is something to claim: don't wait for the next poll."""


class Dispatcher:
    """Runs jobs of a store on an executor. All its work is done by the thread that calls `run`.

    Attributes:
        is_running: Whether `run` is under way.
    """

    def __init__(
        self,
        *,
        host: str,
        store: Store,
        executor: Executor,
        attempts: Attempts,
        artifacts: ArtifactFolder,
        follow_ups: FollowUps,
        late_follow_ups: Callable[[ClaimedJob], Sequence[JobRequest]],
        schedule: Schedule,
        presence: Presence,
        roster: Roster,
        lease_s: float,
        cancel_grace_s: float,
    ) -> None:
        self._host = host
        self._store = store
        self._executor = executor
        self._schedule = schedule
        self._roster = roster
        self._cancel_grace_s = cancel_grace_s
        self._in_hand = in_hand = InHand()
        self._inbox: Inbox[ExecutorEvent | Fetched | _Woken] = Inbox()
        self._fetching = fetching = Fetching(attempts, self._inbox.put)
        self._alone = alone = Alone(in_hand)
        # Claimed ahead and begun by now, as far as the store doesn't know of it.
        self._began: list[Held] = []
        self._looks_ahead = Every(LOOK_AHEAD_S)
        self._intake = Intake(
            host=host,
            store=store,
            executor=executor,
            attempts=attempts,
            schedule=schedule,
            in_hand=in_hand,
            fetching=fetching,
            alone=alone,
            lease_s=lease_s,
            tell=self._inbox.put,
        )
        self._settling = Settling(
            host=host,
            store=store,
            attempts=attempts,
            artifacts=artifacts,
            schedule=schedule,
            in_hand=in_hand,
            follow_ups=follow_ups,
            late_follow_ups=late_follow_ups,
        )
        self._upkeep = Upkeep(
            host=host,
            store=store,
            executor=executor,
            in_hand=in_hand,
            fetching=fetching,
            alone=alone,
            presence=presence,
            roster=roster,
            lease_s=lease_s,
            cancel_grace_s=cancel_grace_s,
        )
        self._teller = Teller(lambda _event: None, ())
        self._draining = False
        self._interrupted = False
        self.is_running = False
        self._started = False
        self._idle_from = 0.0

    def run(
        self,
        listener: Listener,
        *,
        kinds: Collection[EventKind] = frozenset(EventKind),
        source: str | None = None,
        wait_for: Iterable[UUID] = (),
        forever: bool = False,
        until: Callable[[], bool] = lambda: False,
    ) -> None:
        """Run jobs until none is left.

        Args:
            listener: Learns of events, on this thread.
            kinds: Of which kinds.
            source: Run this source's jobs only; None: all.
            wait_for: Jobs that must be final too before this returns, whoever runs them. While
                nothing else is to do, some that are still pending are taken over.
            forever: Wait for more when none is left. Ends by an exception, such as
                KeyboardInterrupt, or by `until`.
            until: End as soon as this says so; attempts under way are given back.

        On an exception, attempts under way are stopped and their jobs are given back.
        """
        self._teller = Teller(listener, kinds)
        self._wake_up()
        awaited = Awaited(
            self._store,
            self._schedule,
            self._roster,
            source=source,
            jobs=wait_for,
            room=self._room,
        )
        self.is_running = True
        try:
            while not until():
                self._turn(source)
                if self._in_hand:
                    continue
                if self._draining or (not forever and self._is_over(awaited)):
                    return
            self._give_back()
        except BaseException:
            self._give_back()
            raise
        finally:
            self.is_running = False

    def interrupt(self) -> None:
        """End `run` between two turns with a KeyboardInterrupt. From a signal handler."""
        self._interrupted = True
        self.wake()

    def drain(self) -> None:
        """Claim no more, give back what has not begun, let the rest finish. From any thread."""
        self._draining = True

    def wake(self) -> None:
        """Claim at once what was just submitted. From any thread."""
        self._inbox.put(_Woken())

    def close(self) -> None:
        """Stop the executor. Nothing may be in hand."""
        if self._started:
            self._executor.stop(drain=False, grace_s=self._cancel_grace_s)

    # --- a turn --------------------------------------------------------------------------------

    def _turn(self, source: str | None) -> None:
        if self._interrupted:
            raise KeyboardInterrupt
        # First: workers start while there is something else to do.
        if self._draining:
            self._withdraw()
        else:
            self._start()
            self._intake.claim(source, IDLE_POLL_S if self._is_idle else CLAIM_POLL_S)
        if self._upkeep.do(self._status):
            self._intake.look_at_once()
        self._note_begun()
        if self._looks_ahead.is_due():
            self._keep_ahead_short()
        # By now the store is open, and all that it takes is loaded.
        _spare_collector()
        self._settle()

    def _start(self) -> None:
        if not self._started:
            self._executor.start(self._inbox.put)
            self._started = True

    @property
    def _status(self) -> HostStatus:
        if self._draining:
            return HostStatus.DRAINING
        return HostStatus.WORKING if self._in_hand else HostStatus.IDLE

    @property
    def _is_idle(self) -> bool:
        if self._in_hand:
            self._idle_from = time.monotonic() + IDLE_AFTER_S
            return False
        return time.monotonic() > self._idle_from

    def _wake_up(self) -> None:
        self._intake.look_at_once()
        self._idle_from = time.monotonic() + IDLE_AFTER_S

    def _withdraw(self) -> None:
        """Give back all that has not begun."""
        self._settling.release(self._alone.clear())
        self._take_back([held for held in self._in_hand if held.begun_at is None])

    def _take_back(self, jobs: Iterable[Held]) -> None:
        for held in jobs:
            if not held.withdrawn:
                held.withdrawn = True
                self._fetching.cancel(held.job.token)
                self._executor.cancel(held.job.token, self._cancel_grace_s)

    def _note_begun(self) -> None:
        """Tell the store what runs that was claimed ahead, unless it is over in no time."""
        if not self._began:
            return
        self._began = [held for held in self._began if not held.dropped]
        before = time.monotonic() - BEGUN_S
        due = [held for held in self._began if (held.begun_at or 0.0) < before]
        if not due:
            return
        ours = self._store.begin(self._host, [held.job.token for held in due])
        self._began = [held for held in self._began if held not in due]
        for held in due:
            held.ahead = False
            if held.job.token not in ours:
                # Somebody took it back before it began.
                self._executor.cancel(held.job.token, 0.0)

    def _keep_ahead_short(self) -> None:
        """Give back what was to begin in a moment and has not: what is before it takes long."""
        now = time.monotonic()
        for held in self._in_hand:
            if held.begun_at is not None and now - held.begun_at > SHORT_JOB_S:
                self._schedule.takes_long(held.job.request.action, now - held.begun_at)
        late = [
            held
            for held in self._in_hand
            if held.ahead and held.begun_at is None and now - held.claimed_at > 2 * READ_AHEAD_S
        ]
        waiting = self._alone.tokens
        self._take_back([held for held in late if held.job.token not in waiting])
        if giving_way := self._alone.give_way():
            self._settling.release(giving_way, GIVE_WAY_S)

    def _settle(self) -> None:
        """Wait a tick for events, then write all that have come in one transaction."""
        events = self._inbox.wait(IDLE_POLL_S if self._is_idle else TICK_S)
        if events and len(self._in_hand) > 2 * ENOUGH:
            # Each attempt has two events.
            self._inbox.gather(events, 2 * ENOUGH, GATHER_S)
        ended: list[tuple[Held, Ended]] = []
        untried: list[Held] = []
        for event in events:
            if isinstance(event, _Woken):
                self._wake_up()
            elif isinstance(event, Fetched):
                self._fetched(event, ended, untried)
            elif (held := self._in_hand.get(event.token)) is None:
                continue
            elif not isinstance(event, Ended):
                self._take_in(held, event)
            elif held.withdrawn and event.outcome is Outcome.CANCELLED:
                untried.append(held)
            else:
                ended.append((held, event))
        if untried:
            self._settling.release(untried)
        if ended and self._settling.commit(ended, self._teller):
            self._intake.look_at_once()

    def _fetched(
        self, event: Fetched, ended: list[tuple[Held, Ended]], untried: list[Held]
    ) -> None:
        is_news, held = self._fetching.end(event.token), self._in_hand.get(event.token)
        if not is_news or held is None:
            return
        if held.withdrawn:
            untried.append(held)
        elif event.why_not is None:
            self._intake.run([held])
        else:
            outcome, failure = event.why_not
            ended.append((held, Ended(event.token, outcome, failure=failure)))

    def _take_in(self, held: Held, event: Started | Progress) -> None:
        request = held.job.request
        if isinstance(event, Started):
            crash_point("started")
            held.begun_at = time.monotonic()
            if held.ahead:
                self._began.append(held)
            self._teller.tell(request, EventKind.STARTED)
        else:
            self._upkeep.progressed(event.token, event.fraction, event.message)
            self._teller.tell(request, EventKind.PROGRESSED, event.message, event.fraction)

    # --- the end -------------------------------------------------------------------------------

    def _room(self) -> int:
        return self._intake.room_of("cpu")

    def _is_over(self, awaited: Awaited) -> bool:
        over = awaited.is_over()
        if awaited.adopted:
            self._intake.look_at_once()
        return over

    def _give_back(self) -> None:
        """Stop what runs; commit what had ended well, give the rest back untried."""
        if not self._started:
            return
        self._executor.stop(drain=False, grace_s=self._cancel_grace_s)
        self._started = False
        well: dict[Held, Ended] = {}
        for event in self._inbox.left():
            if isinstance(event, Ended) and event.outcome is Outcome.OK:
                held = self._in_hand.get(event.token)
                if held is not None:
                    well[held] = event
        self._settling.commit(list(well.items()), self._teller)
        self._settling.release(list(self._in_hand))


@cache
def _spare_collector() -> None:
    """Have the garbage collector look no more at what is loaded by now, once in a process.

    Each of its full rounds goes through some 100,000 objects of modules, as many as thousands of
    jobs make, and a busy host has one every few hundred jobs: 20 µs a job.
    """
    gc.freeze()
