"""What every store promises to several hosts: attempts kept, heartbeats, pauses, claims apart."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mediahost.hashing import hash_bytes
from mediahost.model.hosts import Heartbeat, HostStatus
from mediahost.model.job import ClaimedJob, Failure, JobRequest, JobStatus, Outcome
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.pause import Pause, PauseKind
from mediahost.ports import Ready, Setback, Store

ALL = Pause(PauseKind.ALL)


def asked(name: str, action: str = "t.look", source: str = "user", priority: int = 0) -> JobRequest:
    media = MediaFile(Path(f"/m/{name}.wav"), MediaKind.AUDIO, hash_bytes(name.encode()))
    config = hash_bytes(action.encode())
    return JobRequest(action, 1, {}, media, config, source=source, priority=priority)


def names(jobs: list[ClaimedJob]) -> list[str]:
    return [job.request.media.path.stem for job in jobs]


def test_each_attempt_that_failed_is_kept_with_its_reason(store: Store) -> None:
    (job_id,) = store.submit([asked("a")])
    failures = [
        (Outcome.ERROR, Failure("No answer", "Try later", transient=True, traceback="line 1")),
        (Outcome.CRASHED, Failure("The worker died")),
    ]
    for (outcome, failure), again in zip(failures, (0.0, None), strict=True):
        (job,) = store.claim("here", 1, 60)
        store.commit("here", [], [Setback(job, outcome, failure, again, 7)])
    first, second = store.attempts_of(job_id)
    assert (first.attempt, first.outcome, first.host) == (1, Outcome.ERROR, "here")
    assert (first.error, first.traceback) == ("No answer\nTry later", "line 1")
    assert (first.elapsed_ms, first.retry_in_s) == (7, 0.0)
    assert (second.attempt, second.outcome, second.retry_in_s) == (2, Outcome.CRASHED, None)
    assert abs(datetime.now(UTC) - second.ended_at) < timedelta(minutes=5)


def test_an_attempt_whose_host_is_lost_is_kept_too(store: Store) -> None:
    (job_id,) = store.submit([asked("a")])
    store.claim("there", 1, 60)
    assert store.reap(lambda host: host == "there") == [job_id]
    (lost,) = store.attempts_of(job_id)
    assert (lost.outcome, lost.host, lost.attempt) == (Outcome.LOST, "there", 1)
    assert store.get_jobs([job_id])[job_id].failures == 0


def test_attempts_go_with_their_job(store: Store) -> None:
    (job_id,) = store.submit([asked("a")])
    (job,) = store.claim("here", 1, 60)
    store.commit("here", [], [Setback(job, Outcome.ERROR, Failure("no"))])
    store.delete_jobs([job_id])
    assert store.attempts_of(job_id) == []


def test_a_pair_of_source_and_action_is_ready_while_it_has_jobs_to_claim(store: Store) -> None:
    assert store.ready() == []
    store.submit([asked("a"), asked("b"), asked("c", "t.cut"), asked("d", source="watch")])
    everything = [Ready("user", "t.cut"), Ready("user", "t.look"), Ready("watch", "t.look")]
    assert store.ready() == everything
    assert store.ready("user") == everything[:2]
    store.claim("here", 8, 60, "user", ["t.look"])
    assert store.ready("user") == [Ready("user", "t.cut")]


def test_a_job_for_later_is_ready_when_its_time_has_come(store: Store) -> None:
    store.submit([asked("a")])
    (job,) = store.claim("here", 1, 60)
    store.commit("here", [], [Setback(job, Outcome.ERROR, Failure("no"), 3600.0)])
    assert store.ready() == []
    store.submit([asked("b")])
    (job,) = store.claim("here", 1, 60)
    store.commit("here", [], [Setback(job, Outcome.ERROR, Failure("no"), 0.0)])
    assert store.ready() == [Ready("user", "t.look")]


def test_a_claim_takes_the_actions_asked_for_in_order_of_priority(store: Store) -> None:
    store.submit(
        [
            asked("a", "t.look", priority=1),
            asked("b", "t.cut", priority=2),
            asked("c", "t.see", priority=9),
            asked("d", "t.look", priority=3),
            asked("e", "t.look", source="watch", priority=9),
        ]
    )
    assert names(store.claim("here", 2, 60, "user", ["t.look", "t.cut"])) == ["d", "b"]
    assert names(store.claim("here", 9, 60, "user", ["t.look"])) == ["a"]
    assert names(store.claim("here", 9, 60)) == ["c", "e"]


@pytest.mark.parametrize(
    "pause",
    [ALL, Pause(PauseKind.SOURCE, "user"), Pause(PauseKind.ACTION, "t.look")],
    ids=lambda pause: str(pause.kind),
)
def test_what_is_paused_waits_until_it_is_resumed(store: Store, pause: Pause) -> None:
    store.submit([asked("a")])
    store.pause([pause])
    store.pause([pause])
    assert store.pauses() == [pause]
    assert store.ready() == []
    assert store.claim("here", 1, 60) == []
    assert store.count_waiting() == 0
    assert store.count_jobs()[JobStatus.PENDING] == 1
    assert store.resume([pause]) == {pause}
    assert store.resume([pause]) == set()
    assert names(store.claim("here", 1, 60)) == ["a"]
    assert store.count_waiting("user") == 1


def test_a_pause_holds_nothing_else(store: Store) -> None:
    store.submit([asked("a"), asked("b", "t.cut"), asked("c", source="watch")])
    store.pause([Pause(PauseKind.ACTION, "t.cut"), Pause(PauseKind.SOURCE, "watch")])
    assert store.ready() == [Ready("user", "t.look")]
    assert names(store.claim("here", 9, 60)) == ["a"]
    # What runs goes on.
    assert store.count_waiting() == 1


def test_what_waits_is_counted_no_further_than_one_wants_to_know(store: Store) -> None:
    store.submit([asked("a"), asked("b", "t.cut"), asked("c", source="watch")])
    assert [store.count_waiting(most=most) for most in (0, 1, 2, 9, None)] == [0, 1, 2, 3, 3]
    assert store.count_waiting("user", most=1) == 1
    assert store.count_waiting("nobody", most=1) == 0


def test_what_nobody_here_can_do_is_not_counted_until_it_runs(store: Store) -> None:
    store.submit([asked("a"), asked("b", "t.cut")])
    assert store.count_waiting(without={"t.cut"}) == 1
    store.claim("there", 1, 60, "user", ["t.cut"])
    assert store.count_waiting(without={"t.cut"}) == 2


def test_a_source_has_work_until_its_last_job_is_over(store: Store) -> None:
    store.submit([asked("a", source="one"), asked("b", source="two")])
    assert store.has_active("one")
    assert not store.has_active("three")
    (job,) = store.claim("here", 1, 60, "one")
    assert store.has_active("one")
    store.request_cancel([job.token.job_id])
    store.release("here", [job.token])
    assert not store.has_active("one")
    assert store.has_active("two")


def beat(host: str, status: HostStatus = HostStatus.WORKING) -> Heartbeat:
    return Heartbeat(host, "box", 12, "1.0", "local", 2, 1, status)


def test_hosts_see_each_other(store: Store) -> None:
    assert store.hosts() == []
    store.beat(beat("one"))
    store.beat(beat("two"))
    store.beat(beat("one", HostStatus.DRAINING))
    views = {view.heartbeat.host: view for view in store.hosts()}
    assert views["one"].heartbeat == beat("one", HostStatus.DRAINING)
    assert views["two"].heartbeat == beat("two")
    assert 0 <= views["two"].silent_s < 60
    assert abs(datetime.now(UTC) - views["one"].started_at) < timedelta(minutes=5)
    store.forget_hosts(["one", "nobody"])
    assert [view.heartbeat.host for view in store.hosts()] == ["two"]


def test_a_host_proves_that_it_lives_by_a_lock_where_the_database_has_such(store: Store) -> None:
    proof = store.proof("here")
    try:
        assert store.proven(["here", "there"]) == ({"here"} if proof else set())
        assert store.proven([]) == set()
    finally:
        if proof:
            proof.close()
    assert store.proven(["here"]) == set()
