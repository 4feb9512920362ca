"""Jobs that other programs, and newer versions of mediahost, keep in the same store."""

from contextlib import closing
from typing import Any

import pytest

from mediahost.store import JobRepository, open_session, open_store

# What the documented columns allow, and a program may well write.
ODD_VALUES: list[dict[str, Any]] = [
    {},
    {"prompt": "p", "parameters": {"inputs": ["a"], "config": "x"}},
    {"parameters": {"inputs": {"a": None}, "config": [1]}},
]
STATUSES = ("pending", "processing", "completed", "failed", "cancelled")
COMMANDS = (
    "jobs list --plain",
    "jobs list --json",
    "jobs list --filter state:processing",
    "jobs show 2",
    "stats",
    "hosts list",
    "store gc --jobs-days 0 --results-days 0",
    "work --drain",
    "run media --action count.look",
    "jobs list",
)


@pytest.fixture(params=["sqlite", "postgres"])
def shared_home(request: pytest.FixtureRequest) -> Any:
    """A home whose store another program uses too."""
    home: Any = request.getfixturevalue(f"{request.param}_home")
    home.tones(1)
    home.data.mkdir(exist_ok=True)
    home.place = home.environ.get("MEDIAHOST_DATABASE_URL", home.data / "store.db")
    return home


def make_foreign_jobs(home: Any) -> int:
    """One job for each status and each way to fill the columns; returns how many."""
    assert home.call("store", "upgrade").code == 0
    with closing(open_store(home.place)) as store, open_session(store) as session:
        jobs = JobRepository(session)
        for values in ODD_VALUES:
            for status in STATUSES:
                job = jobs.create({"job_type": "video", "media_url": "https://e.com/v", **values})
                if status in ("processing", "completed", "failed"):
                    jobs.start_processing(job.id)
                if status in ("completed", "failed", "cancelled"):
                    jobs.update_status(job.id, status, error="no" if status == "failed" else None)
    home.script(
        "INSERT INTO jobs (id, job_type, media_url, parameters, status) VALUES"
        " ('00000000000000000000000000000001', 'document', '', NULL, 'processing'),"
        " ('00000000000000000000000000000002', 'audio', 'x', '[1]', 'pending')"
    )
    return len(ODD_VALUES) * len(STATUSES) + 2


def test_another_programs_jobs_are_listed_and_nothing_else(shared_home: Any) -> None:
    home = shared_home
    number = make_foreign_jobs(home)
    before = home.query("SELECT number, status, attempt, host FROM jobs ORDER BY number")
    for command in COMMANDS:
        answer = home.call(*command.split())
        assert answer.code == 0, f"{command}: {answer.out} {answer.err}"
    listed = home.call("jobs", "list").out
    assert listed.count("another program's") == number
    assert "0 wait" in home.call("stats").out or "0 jobs wait" in home.call("stats").out
    assert f"{number} of another program" in home.call("doctor").out
    now = home.query("SELECT number, status, attempt, host FROM jobs WHERE action IS NULL")
    assert sorted(now) == sorted(before), "nobody here claims them or ends them"
    # Two that have no key are not the same job.
    answer = home.call("jobs", "retry", "4", "9")
    assert answer.out == "job 4: pending again\njob 9: pending again\n"
    assert home.call("jobs", "cancel", "4", "9").code == 0
    assert home.call("jobs", "delete", "4", "9").code == 0


def test_a_row_that_says_no_request_fails_with_its_reason(shared_home: Any) -> None:
    home = shared_home
    assert home.call("store", "upgrade").code == 0
    home.script(
        "INSERT INTO jobs (id, job_type, media_url, parameters, action, file_hash, config_hash)"
        " VALUES ('00000000000000000000000000000001', 'video', '/v', '{}', 'count.look', 'a', 'b'),"
        " ('00000000000000000000000000000002', 'video', '/v', '[]', 'count.look', 'a', 'c'),"
        " ('00000000000000000000000000000003', 'hologram', '/v',"
        " '{\"config\": {}, \"inputs\": {}}', 'count.look', 'a', 'd'),"
        " ('00000000000000000000000000000004', 'video', '/v',"
        " '{\"config\": {}, \"inputs\": {}}', 'count.look', NULL, NULL)"
    )
    assert home.call("work", "--drain").code in (0, 1)
    states = home.query("SELECT status, error FROM jobs ORDER BY number")
    assert [status for status, _ in states] == ["failed"] * 4
    assert all("not all that an action needs" in error for _, error in states)


def test_what_a_newer_version_wrote_is_shown_as_it_is(shared_home: Any) -> None:
    home = shared_home
    home.tones(2)
    assert home.run("--action", "count.look").code == 0
    assert home.run("--action", "count.cut").code == 0
    home.script(
        """
        UPDATE jobs SET status = 'suspended', completed_at = NULL WHERE number = 1;
        INSERT INTO job_attempts (job_id, attempt, outcome, host, error)
            SELECT id, 7, 'evicted', 'there', 'why' FROM jobs WHERE number = 2;
        INSERT INTO hosts
            (host, machine, pid, version, executor, slots, running, status, seen_at)
            VALUES ('there/1', 'there', 1, '9.0', 'local', 2, 1, 'napping', 4102444800);
        INSERT INTO pauses (kind, name) VALUES ('weekday', 'monday');
        """
    )
    for command in (*COMMANDS, "jobs show 2", "jobs pause", "jobs resume"):
        answer = home.call(*command.split())
        assert answer.code in (0, 1), f"{command}: {answer.out} {answer.err}"
    assert "suspended" in home.call("jobs", "list").out
    assert "1 suspended" in home.call("jobs", "list").out
    assert "napping" in home.call("hosts", "list").out
    assert "evicted" in home.call("jobs", "show", "2").out
    for act in ("cancel", "retry", "delete"):
        answer = home.call("jobs", act, "1")
        assert "suspended" in answer.out + answer.err, act
    assert home.query("SELECT status FROM jobs WHERE number = 1") == [("suspended",)]
