"""A damaged schema is named, rebuilt where it can be, and answered in one sentence elsewhere."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from mediahost.errors import StoreError
from mediahost.store import MediaAnalysisStorage, open_store
from mediahost.store.about import upgrade_at
from mediahost.store.databases import database_at
from mediahost.store.location import locate
from mediahost.store.schema_check import find_damage, odd_statuses, repair

HASH = "blake3:" + "0" * 64


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """A store of its own in each database, with one result that search finds."""
    place = (
        str(request.getfixturevalue("tmp_path") / "store.db")
        if request.param == "sqlite"
        else str(request.getfixturevalue("bare_postgres_url"))
    )
    upgrade_at(place)
    with MediaAnalysisStorage(place) as storage:
        storage.save("/a.wav", HASH, HASH, ranges=[{"start": 0, "end": 1, "label": "needle"}])
    return place


def execute(url: str, statements: Sequence[str]) -> None:
    if "://" in url:
        with psycopg.connect(url) as server:
            for statement in statements:
                server.execute(statement.encode())
        return
    with closing(sqlite3.connect(url)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def damages(url: str) -> list[str]:
    database = database_at(locate(url))
    found = find_damage(database)
    database.close()
    return [f"{one.kind} {one.name}{'' if one.can_be_rebuilt else ' (lost)'}" for one in found]


def test_a_sound_schema_has_no_damage(url: str) -> None:
    assert damages(url) == []


@pytest.mark.parametrize(
    ("statements", "named"),
    [
        (["DROP INDEX idx_jobs_active_key"], "index idx_jobs_active_key"),
        (["DROP TABLE passages"], "table passages"),
        (
            ["DROP INDEX idx_jobs_ready", "CREATE INDEX idx_jobs_ready ON jobs (source)"],
            "index idx_jobs_ready",
        ),
    ],
)
def test_what_can_be_rebuilt_is(url: str, statements: list[str], named: str) -> None:
    execute(url, statements)
    assert named in damages(url)
    database = database_at(locate(url))
    assert repair(database)
    database.close()
    assert damages(url) == []
    with closing(open_store(url)) as store, store.database.read() as connection:
        found = connection.exec_driver_sql("SELECT label FROM passages").scalars().all()
        assert found == ["needle"]


def test_all_triggers_are_rebuilt(url: str) -> None:
    which = (
        "SELECT DISTINCT trigger_name, event_object_table FROM information_schema.triggers"
        if "://" in url
        else "SELECT name, NULL FROM sqlite_schema WHERE type = 'trigger'"
    )
    database = database_at(locate(url))
    with database.read() as connection:
        triggers = connection.exec_driver_sql(which).all()
    execute(
        url,
        [f"DROP TRIGGER {name}{f' ON {table}' if table else ''}" for name, table in triggers],
    )
    assert len(damages(url)) == len(triggers) > 0
    repair(database)
    database.close()
    assert damages(url) == []


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE jobs DROP COLUMN prompt", "column jobs.prompt (lost)"),
        ("DROP TABLE job_attempts", "table job_attempts (lost)"),
    ],
)
def test_what_is_lost_is_named(url: str, statement: str, named: str) -> None:
    execute(url, [statement])
    assert named in damages(url)
    database = database_at(locate(url))
    repair(database)
    database.close()
    assert named in damages(url)


def test_a_command_that_needs_what_is_lost_says_so(url: str) -> None:
    execute(url, ["DROP TABLE job_attempts"])
    with closing(open_store(url)) as store, pytest.raises(StoreError) as told:
        store.attempts_of(uuid4())
    assert told.value.hint == "Run: mediahost store check"


def test_a_status_that_nobody_knows_is_named(url: str) -> None:
    row = "'00000000000000000000000000000001', 'video', '/v', 'banana'"
    execute(url, [f"INSERT INTO jobs (id, job_type, media_url, status) VALUES ({row})"])  # noqa: S608 - of this test
    database = database_at(locate(url))
    with database.read() as connection:
        assert odd_statuses(connection) == [
            "The status banana is unknown here; jobs that have it: 1"
        ]
    database.close()


def test_check_says_it_and_repairs_it(sqlite_home: Any) -> None:
    home = sqlite_home
    home.data.mkdir()
    upgrade_at(home.data / "store.db")
    execute(str(home.data / "store.db"), ["DROP INDEX idx_jobs_status"])
    answer = home.call("store", "check")
    assert answer.code == 1
    assert "database: The index idx_jobs_status is missing" in answer.out
    assert "mediahost store check --repair" in answer.err
    answer = home.call("store", "check", "--repair")
    assert answer.code == 0
    assert "Rebuilt: the index idx_jobs_status" in answer.out
