"""Jobs that are claimed ahead, and jobs that lose their hosts: on each store."""

import pytest

from mediahost.model.job import (
    LOSSES_TO_RUN_ALONE,
    MOST_LOSSES,
    ClaimedJob,
    JobStatus,
    Outcome,
    Token,
)
from mediahost.model.job_filter import JobFilter
from mediahost.model.pause import Pause, PauseKind
from mediahost.ports import Store
from mediahost.store import SqlStore
from mediahost.store.browse import Order
from tests.contracts.test_store import HOUR, asked, done, failed, look


def claim_ahead(store: Store, *names: str) -> list[ClaimedJob]:
    """Jobs that a host has and that nothing runs yet."""
    store.submit([asked(name) for name in names])
    return store.claim("here", len(names), HOUR, ahead=True)


def lose(store: Store, times: int) -> list[ClaimedJob]:
    """The attempts of one job, whose hosts all went away while they ran."""
    lost = []
    for _ in range(times):
        lost += store.claim("there", 1, HOUR)
        store.begin("there", [lost[-1].token])
        store.reap(lambda _host: True)
    return lost


def test_what_is_claimed_ahead_is_pending_for_people(store: Store) -> None:
    first, second = claim_ahead(store, "a", "b")
    assert store.begin("here", [first.token]) == {first.token}
    assert look(store, first.token.job_id).status is JobStatus.PROCESSING
    assert look(store, second.token.job_id).status is JobStatus.PENDING
    counts = store.count_jobs()
    assert (counts[JobStatus.PENDING], counts[JobStatus.PROCESSING]) == (1, 1)
    (pending,) = store.jobs(statuses={JobStatus.PENDING})
    assert pending.job_id == second.token.job_id
    (processing,) = store.jobs(statuses={JobStatus.PROCESSING})
    assert processing.job_id == first.token.job_id


def test_lists_and_filters_show_it_as_pending_too(sql_store: SqlStore) -> None:
    claim_ahead(sql_store, "a")
    browser = sql_store.browse()
    for text, number in (("state:pending", 1), ("state:processing", 0), ("", 1)):
        lines = browser.first(JobFilter.parse(text), Order.NEWEST, 9)
        assert [line.status for line in lines] == [JobStatus.PENDING] * number
    assert browser.counts()[JobStatus.PENDING] == 1
    browser.close()


def test_it_is_cancelled_at_once(store: Store) -> None:
    (job,) = claim_ahead(store, "a")
    assert store.request_cancel([job.token.job_id]) == {job.token.job_id: JobStatus.CANCELLED}
    assert store.begin("here", [job.token]) == set()
    assert store.commit("here", [done(job)]) == set()
    assert look(store, job.token.job_id).status is JobStatus.CANCELLED


def test_its_turn_can_be_changed(store: Store) -> None:
    first, second = claim_ahead(store, "a", "b")
    assert store.change_priority([second.token.job_id], 5) == {second.token.job_id: 5}
    assert store.begin("here", [first.token, second.token]) == {first.token}
    (again,) = store.claim("there", 2, HOUR)
    assert again.token.job_id == second.token.job_id


@pytest.mark.parametrize(
    "pause",
    [
        Pause(PauseKind.ALL),
        Pause(PauseKind.SOURCE, "user"),
        Pause(PauseKind.ACTION, "hello.halves"),
    ],
)
def test_a_pause_takes_it_back(store: Store, pause: Pause) -> None:
    (job,) = claim_ahead(store, "a")
    store.pause([Pause(PauseKind.SOURCE, "other")])
    assert store.renew("here", [job.token], HOUR) == {job.token}
    store.pause([pause])
    assert store.renew("here", [job.token], HOUR) == set()
    store.resume([pause])
    (again,) = store.claim("there", 1, HOUR)
    assert again.token == Token(job.token.job_id, 2)


def test_it_can_be_deleted(store: Store) -> None:
    (job,) = claim_ahead(store, "a")
    assert store.delete_jobs([job.token.job_id]) == 1


def test_it_can_be_completed_without_a_word_in_between(store: Store) -> None:
    (job,) = claim_ahead(store, "a")
    assert store.commit("here", [done(job)]) == {job.token}
    view = look(store, job.token.job_id)
    assert (view.status, view.started_at is None) == (JobStatus.COMPLETED, False)


def test_what_had_not_begun_loses_nothing_with_its_host(store: Store) -> None:
    store.submit([asked()])
    for _ in range(MOST_LOSSES + 2):
        (job,) = store.claim("there", 1, HOUR, ahead=True)
        assert store.reap(lambda _host: True) == [job.token.job_id]
    assert store.attempts_of(job.token.job_id) == []
    (job,) = store.claim("here", 1, HOUR)
    assert job.losses == 0


def test_a_job_that_loses_all_its_hosts_ends_with_its_reason(store: Store) -> None:
    store.submit([asked()])
    attempts = lose(store, MOST_LOSSES)
    assert [job.losses for job in attempts] == list(range(MOST_LOSSES))
    view = look(store, attempts[0].token.job_id)
    assert view.status is JobStatus.FAILED
    assert view.completed_at is not None
    assert view.error
    assert f"went away {MOST_LOSSES} times while it ran" in view.error
    noted = store.attempts_of(view.job_id)
    assert [each.outcome for each in noted] == [Outcome.LOST] * MOST_LOSSES
    assert [each.retry_in_s for each in noted] == [0.0] * (MOST_LOSSES - 1) + [None]


def test_a_person_who_retries_it_gives_it_as_many_hosts_again(store: Store) -> None:
    store.submit([asked()])
    (job, *_) = lose(store, MOST_LOSSES)
    assert store.retry([job.token.job_id]) == [job.token.job_id]
    again = lose(store, MOST_LOSSES - 1)
    assert [job.losses for job in again] == list(range(MOST_LOSSES - 1))
    assert look(store, job.token.job_id).status is JobStatus.PENDING


def test_losses_on_the_way_count_wherever_they_happened(store: Store) -> None:
    store.submit([asked()])
    (job,) = store.claim("here", 1, HOUR)
    store.commit("here", [], [failed(job, Outcome.LOST, 0)])
    lose(store, 1)
    (job,) = store.claim("here", 1, HOUR)
    assert job.losses == LOSSES_TO_RUN_ALONE


def test_what_runs_alone_has_not_begun_when_it_is_claimed(store: Store) -> None:
    store.submit([asked()])
    lose(store, LOSSES_TO_RUN_ALONE)
    (job,) = store.claim("here", 1, HOUR)
    assert look(store, job.token.job_id).status is JobStatus.PENDING


def test_a_job_that_was_to_be_cancelled_is_cancelled_and_not_failed(store: Store) -> None:
    store.submit([asked()])
    (job, *_) = lose(store, MOST_LOSSES - 1)
    (last,) = store.claim("there", 1, HOUR)
    store.begin("there", [last.token])
    store.request_cancel([job.token.job_id])
    store.reap(lambda _host: True)
    assert look(store, job.token.job_id).status is JobStatus.CANCELLED


def test_what_is_given_back_for_later_is_not_claimed_before(store: Store) -> None:
    (job,) = claim_ahead(store, "a")
    store.release("here", [job.token], HOUR)
    assert store.claim("here", 1, HOUR) == []
    assert look(store, job.token.job_id).status is JobStatus.PENDING
