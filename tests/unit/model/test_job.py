"""Jobs: ids that sort by time, and the ways a status can go."""

import threading
import time
from uuid import RFC_4122, UUID

import pytest

from mediahost import Event
from mediahost.model import job
from mediahost.model.event import EventKind
from mediahost.model.job import FINAL, TRANSITIONS, JobStatus, new_job_id


def test_ids_made_later_sort_later_even_within_a_millisecond() -> None:
    # More than 4096 in a millisecond would be too many for the counter's 12 bits.
    made = [new_job_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_an_id_is_a_uuid_of_version_7_that_tells_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = new_job_id()
    assert made.version == 7
    assert made.variant == RFC_4122
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 10_000


def test_ids_go_on_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = new_job_id()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert new_job_id() > before


def test_a_full_millisecond_spills_into_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = (time.time_ns() // 1_000_000 + 3_600_000) * 1_000_000
    monkeypatch.setattr(time, "time_ns", lambda: ahead)
    monkeypatch.setattr(job, "_last_millisecond_and_count", (0, 0))
    made = [new_job_id() for _ in range(0x1000 + 2)]
    assert made == sorted(made)
    assert made[-1].int >> 80 == (made[0].int >> 80) + 1


def test_threads_never_make_the_same_id() -> None:
    made: list[list[UUID]] = []

    def make() -> None:
        made.append([new_job_id() for _ in range(2_000)])

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one for ids in made for one in ids}) == 16_000


def test_nothing_happens_by_itself_to_a_job_that_is_final() -> None:
    assert {status for status in JobStatus if status.final} == FINAL
    assert JobStatus.PROCESSING not in FINAL
    for status in FINAL:
        # What a person may do is make it pending again, and a completed one not even that.
        assert TRANSITIONS[status] <= {JobStatus.PENDING}
    assert not TRANSITIONS[JobStatus.COMPLETED]


def test_every_status_says_where_it_can_go() -> None:
    assert set(TRANSITIONS) == set(JobStatus)


def test_an_event_becomes_plain_values() -> None:
    made = new_job_id()
    event = Event(EventKind.STARTED, "hello.halves", "/talk.wav", made)
    assert event.to_json() == {
        "kind": "started",
        "action": "hello.halves",
        "media_url": "/talk.wav",
        "job_id": str(made),
        "fraction": None,
        "message": "",
        "details": {},
    }
    assert Event(EventKind.CACHED, "hello.halves", "/talk.wav").to_json()["job_id"] is None
