"""Settling: from how attempts ended to what the store, the disk and listeners know of it."""

from collections.abc import Callable, Sequence

from mediahost.cached import Hit
from mediahost.errors import StoreError
from mediahost.hashing import CacheKey
from mediahost.host.artifacts import ArtifactFolder
from mediahost.host.attempts import Attempts, FollowUps, failure_from, outcome_of
from mediahost.host.crash import crash_point
from mediahost.host.in_hand import Held, InHand
from mediahost.host.look import Look
from mediahost.host.schedule import Schedule
from mediahost.host.telling import Teller
from mediahost.model.event import EventKind
from mediahost.model.job import ClaimedJob, JobRequest, Outcome
from mediahost.ports import Completion, Ended, Setback, Store


class Settling:
    """Writes how attempts ended, all that are known of in one transaction.

    Args:
        host: This host's name.
        store: The store.
        attempts: Judges them.
        artifacts: Where their files are.
        schedule: Learns how long they took.
        in_hand: The jobs that this host has claimed.
        follow_ups: What can be done once a result is committed.
        late_follow_ups: The same, asked again after the commit.
    """

    def __init__(
        self,
        *,
        host: str,
        store: Store,
        attempts: Attempts,
        artifacts: ArtifactFolder,
        schedule: Schedule,
        in_hand: InHand,
        follow_ups: FollowUps,
        late_follow_ups: Callable[[ClaimedJob], Sequence[JobRequest]],
    ) -> None:
        self._host = host
        self._store = store
        self._attempts = attempts
        self._artifacts = artifacts
        self._schedule = schedule
        self._in_hand = in_hand
        self._follow_ups = follow_ups
        self._late_follow_ups = late_follow_ups

    def commit(self, ended: Sequence[tuple[Held, Ended]], teller: Teller) -> bool:
        """Write how these attempts ended, then tell it.

        Returns:
            Whether there is something new to claim.
        """
        completions, setbacks = self._judged(ended)
        written = self._store.commit(self._host, completions, setbacks)
        if completions:
            crash_point("committed")
        for held, event in ended:
            self._schedule.ended(held, event.elapsed_ms / 1000)
        self._in_hand.drop([held for held, _ in ended])
        self._artifacts.unstage([event.token for _, event in ended])
        if len(written) < len(ended):
            # Somebody else owns those jobs by now.
            for done in completions:
                if done.job.token not in written:
                    self._artifacts.discard(done.job.token)
            completions = [done for done in completions if done.job.token in written]
            setbacks = [each for each in setbacks if each.job.token in written]
        for done in completions:
            teller.ended(done)
        for setback in setbacks:
            teller.ended(setback)
        came = any(done.follow_ups for done in completions)
        return self._submit_late(completions, teller) or came

    def release(self, jobs: Sequence[Held], after_s: float = 0.0) -> None:
        """Give jobs back untried; they are pending again after so long."""
        tokens = [held.job.token for held in jobs]
        self._store.release(self._host, tokens, after_s)
        for held in jobs:
            self._schedule.ended(held)
        self._in_hand.drop(jobs)
        self._artifacts.unstage(tokens)

    def _judged(
        self, ended: Sequence[tuple[Held, Ended]]
    ) -> tuple[list[Completion], list[Setback]]:
        completions: list[Completion] = []
        setbacks: list[Setback] = []
        fresh: dict[CacheKey, Hit] = {}
        look = self._attempts.look()
        for held, event in ended:
            judged = self._judge(held, event, look, fresh)
            if isinstance(judged, Completion):
                completions.append(judged)
            else:
                setbacks.append(judged)
        return completions, setbacks

    def _judge(
        self, held: Held, ended: Ended, look: Look, fresh: dict[CacheKey, Hit]
    ) -> Completion | Setback:
        if ended.outcome is Outcome.OK:
            crash_point("ran")
            try:
                return self._attempts.completed(held, ended, look, fresh, self._follow_ups)
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - one job's fault ends that job, not the host
                failure = failure_from(error)
                return self._attempts.failed(held.job, outcome_of(error), failure, ended.elapsed_ms)
        if ended.failure is None:
            raise ValueError("an attempt that did not end well has a failure")
        return self._attempts.failed(held.job, ended.outcome, ended.failure, ended.elapsed_ms)

    def _submit_late(self, completions: Sequence[Completion], teller: Teller) -> bool:
        """Submit what only a look after the commit finds; whether that was anything."""
        came = False
        for done in completions:
            requests = self._late_follow_ups(done.job)
            if not requests:
                continue
            for request, job_id in zip(requests, self._store.submit(requests), strict=True):
                if request.job_id == job_id:
                    teller.tell(request, EventKind.SUBMITTED)
                    came = True
        return came
