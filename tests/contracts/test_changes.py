"""What those who watch a store are told, and that nothing escapes them."""

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import text

from mediahost.hashing import hash_bytes
from mediahost.model.changes import MOST_CHANGES, Changes, Mark
from mediahost.model.job import ClaimedJob, Failure, JobRequest, JobStatus, Outcome
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.result import MediaAnalysisResult
from mediahost.ports import Completion, Setback
from mediahost.store import SqlStore, changelog, open_store

TIMEOUT_S = 30


def asked(number: int = 0, source: str = "user") -> JobRequest:
    media = MediaFile(Path(f"/media/{number}.mp4"), MediaKind.VIDEO, hash_bytes(b"film"))
    return JobRequest("hello.halves", 1, {}, media, hash_bytes(b"%d" % number), source=source)


def submit(store: SqlStore, jobs: int, first: int = 0) -> None:
    store.submit([asked(first + index) for index in range(jobs)])


def done(job: ClaimedJob) -> Completion:
    return Completion(job, MediaAnalysisResult(), hash_bytes(b"result"), 1)


def claim_all(store: SqlStore) -> list[ClaimedJob]:
    return store.claim("here", 1 << 30, 60)


def counted(changes: Changes) -> dict[str, int]:
    return {str(status): number for status, number in changes.counts.items() if number}


@pytest.fixture
def watcher(sql_store: SqlStore) -> Iterator[SqlStore]:
    """The same store, seen from elsewhere."""
    opened = open_store(sql_store.database.location.url.render_as_string(hide_password=False))
    yield opened
    opened.close()


def test_a_first_look_says_where_things_stand(sql_store: SqlStore, watcher: SqlStore) -> None:
    assert counted(watcher.changes()) == {}
    submit(sql_store, 3)
    sql_store.claim("here", 1, 60)
    first = watcher.changes()
    assert first.resync
    assert counted(first) == {"pending": 2, "processing": 1}


def test_each_change_is_told_once(sql_store: SqlStore, watcher: SqlStore) -> None:
    submit(sql_store, 2)
    seen = watcher.changes()
    seen = watcher.changes(seen.mark)
    assert (seen.changed, seen.added, seen.deleted, seen.resync) == ((), (), (), False)

    submit(sql_store, 2, first=10)
    seen = watcher.changes(seen.mark)
    assert (seen.changed, seen.added) == ((), (3, 4))

    first, *_ = sql_store.claim("here", 2, 60)
    sql_store.report_progress("here", {first.token: (0.25, "a quarter")})
    seen = watcher.changes(seen.mark)
    assert (seen.changed, seen.added) == ((1, 2), ())
    assert seen.progress == {1: (0.25, "a quarter")}
    assert counted(seen) == {"pending": 2, "processing": 2}

    sql_store.commit("here", [done(first)])
    seen = watcher.changes(seen.mark)
    assert (seen.changed, seen.progress) == ((1,), {})

    sql_store.delete_jobs([first.token.job_id])
    seen = watcher.changes(seen.mark)
    assert (seen.changed, seen.deleted) == ((), (1,))
    assert counted(seen) == {"pending": 2, "processing": 1}
    assert watcher.changes(seen.mark).deleted == ()


def test_a_job_that_was_made_and_done_between_two_looks_is_new(
    sql_store: SqlStore, watcher: SqlStore
) -> None:
    mark = watcher.changes().mark
    submit(sql_store, 3)
    one, two, _ = claim_all(sql_store)
    sql_store.commit("here", [done(one), done(two)])
    sql_store.delete_jobs([two.token.job_id])
    seen = watcher.changes(mark)
    assert (seen.changed, seen.added, seen.deleted) == ((), (1, 3), (2,))
    assert counted(seen) == {"completed": 1, "processing": 1}
    assert watcher.changes(seen.mark).counts == seen.counts


def test_a_request_to_cancel_is_a_change(sql_store: SqlStore, watcher: SqlStore) -> None:
    submit(sql_store, 1)
    (job,) = claim_all(sql_store)
    seen = watcher.changes()
    sql_store.request_cancel([job.token.job_id])
    assert watcher.changes(seen.mark).changed == (1,)


def test_another_turn_is_a_change(sql_store: SqlStore, watcher: SqlStore) -> None:
    submit(sql_store, 3)
    (job,) = sql_store.claim("here", 1, 60)
    seen = watcher.changes()
    sql_store.change_priority([view.job_id for view in sql_store.jobs()], 3)
    seen = watcher.changes(seen.mark)
    assert (set(seen.changed), seen.added, seen.resync) == ({2, 3}, (), False)
    assert counted(seen) == {"pending": 2, "processing": 1}
    sql_store.change_priority([job.token.job_id], 3)
    assert watcher.changes(seen.mark).changed == (), "what runs keeps its turn"


def test_holding_a_lease_is_no_change(sql_store: SqlStore, watcher: SqlStore) -> None:
    submit(sql_store, 1)
    (job,) = claim_all(sql_store)
    seen = watcher.changes()
    sql_store.renew("here", [job.token], 60)
    assert watcher.changes(seen.mark).changed == ()


def test_another_programs_jobs_are_seen_whatever_their_numbers(
    sql_store: SqlStore, watcher: SqlStore
) -> None:
    submit(sql_store, 1)
    insert = text(
        "INSERT INTO jobs (id, number, job_type, media_url)"
        " VALUES (:id, :number, 'video', 'http://x')"
    )
    with sql_store._database.write() as connection:
        values = {"id": asked().job_id.hex, "number": 100}
        connection.execute(insert, values)
    seen = watcher.changes()
    with sql_store._database.write() as connection:
        connection.execute(insert, {"id": asked().job_id.hex, "number": 50})
    seen = watcher.changes(seen.mark)
    assert seen.changed == (50,)
    assert counted(seen) == {"pending": 3}


def test_after_very_many_changes_the_counts_are_right_and_the_lists_empty(
    sql_store: SqlStore, watcher: SqlStore
) -> None:
    submit(sql_store, MOST_CHANGES + 500)
    mark = watcher.changes().mark
    jobs = claim_all(sql_store)
    sql_store.commit("here", [done(job) for job in jobs[:3]])
    seen = watcher.changes(mark)
    assert seen.resync
    assert seen.changed == ()
    assert counted(seen) == {"processing": MOST_CHANGES + 497, "completed": 3}
    submit(sql_store, MOST_CHANGES + 1, first=10_000)
    seen = watcher.changes(seen.mark)
    assert seen.resync
    assert counted(seen)["pending"] == MOST_CHANGES + 1


def test_whoever_is_too_far_behind_reads_everything_again(
    sql_store: SqlStore, watcher: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changelog, "KEPT", 4)
    submit(sql_store, 20)
    old = watcher.changes().mark
    for job in claim_all(sql_store)[:10]:
        failure = Setback(job, Outcome.ERROR, Failure("no"))
        sql_store.commit("here", [], [failure])
    sql_store.reap(lambda _host: False)
    with watcher._database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM job_changes")).scalar() == 4
    seen = watcher.changes(old)
    assert seen.resync
    assert counted(seen) == {"processing": 10, "failed": 10}
    # Postgres can't tell our transactions from those of other databases on the server: while an
    # older one of theirs is open, it says so rather once too often.
    ends_at = time.monotonic() + TIMEOUT_S
    while watcher.changes(watcher.changes().mark).resync:
        assert time.monotonic() < ends_at


def test_the_counts_stay_true_whatever_happens(sql_store: SqlStore, watcher: SqlStore) -> None:
    """Four threads live jobs' lives while one watches; at the end the sums agree."""
    seen = watcher.changes()
    ready = Barrier(5)

    def live(number: int) -> None:
        source = f"run-{number}"
        ready.wait()
        for turn in range(6):
            sql_store.submit([asked(number * 1000 + turn * 10 + i, source) for i in range(8)])
            jobs = sql_store.claim("here", 6, 60, source)
            sql_store.commit(
                "here",
                [done(job) for job in jobs[:2]],
                [Setback(job, Outcome.ERROR, Failure("no")) for job in jobs[2:4]],
            )
            sql_store.release("here", [job.token for job in jobs[4:]])
            sql_store.retry([job.token.job_id for job in jobs[2:3]])
            sql_store.delete_jobs([jobs[0].token.job_id])

    threads = [Thread(target=live, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    ready.wait()
    states: dict[int, JobStatus] = {}
    while any(thread.is_alive() for thread in threads):
        seen = follow(watcher, seen.mark, states)
        assert sum(seen.counts.values()) == len(states)
    for thread in threads:
        thread.join(TIMEOUT_S)
    seen = follow(watcher, seen.mark, states)
    assert seen.counts == watcher.count_jobs() == watcher.changes().counts
    assert states == statuses(watcher)


def follow(watcher: SqlStore, mark: Mark, states: dict[int, JobStatus]) -> Changes:
    """Keep a picture of all jobs by nothing but what one is told."""
    seen = watcher.changes(mark)
    assert not seen.resync
    for number in seen.deleted:
        states.pop(number, None)
    now = statuses(watcher)
    for number in (*seen.added, *seen.changed):
        # What was deleted since the look is told at the next one.
        states[number] = now.get(number, JobStatus.PENDING)
    return seen


def statuses(store: SqlStore) -> dict[int, JobStatus]:
    return {job.number: job.status for job in store.jobs(limit=10_000)}


def test_a_change_that_is_committed_late_is_not_lost(
    sql_store: SqlStore, watcher: SqlStore
) -> None:
    """On Postgres a transaction may commit after another one that took later numbers."""
    if sql_store.database.location.kind == "sqlite":
        # There nobody else can take a number meanwhile: tests/integration/test_store_wakeups.py.
        return
    submit(sql_store, 2)
    seen = watcher.changes()
    words = text("UPDATE jobs SET status = 'failed' WHERE number = :number")
    with sql_store.database.write() as first:
        first.execute(words, {"number": 1})
        with sql_store.database.write() as second:
            second.execute(words, {"number": 2})
        seen = watcher.changes(seen.mark)
        assert seen.changed == (2,)
        assert counted(seen) == {"pending": 1, "failed": 1}
    logged = text("SELECT job_number FROM job_changes ORDER BY number")
    with watcher.database.read() as connection:
        assert list(connection.execute(logged).scalars()) == [1, 2], "the later one has the lower"
    seen = watcher.changes(seen.mark)
    assert seen.changed == (1,)
    assert counted(seen) == {"failed": 2}
    assert watcher.changes(seen.mark).changed == ()
