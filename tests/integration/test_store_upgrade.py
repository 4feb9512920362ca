"""Schemas of every age, on both databases: upgraded with all their rows, newer ones read."""

import errno
import os
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import (
    Connection,
    MetaData,
    Table,
    Uuid,
    bindparam,
    create_engine,
    inspect,
    select,
    text,
    types,
)
from sqlalchemy.orm import Session

from mediahost.errors import StoreError, UsageError
from mediahost.hashing import hash_bytes
from mediahost.model.job import JobRequest
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.store import JobRepository, MediaAnalysisStorage, MediaProcessingStorage, open_store
from mediahost.store.about import describe, upgrade_at
from mediahost.store.copying import copy_to
from mediahost.store.databases import database_at
from mediahost.store.dialect import Json, Utc
from mediahost.store.location import locate
from mediahost.store.schema import HEAD, MIGRATIONS
from mediahost.store.sqlite import SqliteDatabase
from mediahost.store.tables import Record

if TYPE_CHECKING:
    from tests.conftest import Postgres
    from tests.integration.conftest import Home

VERSIONS = sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
# What upgrades look into, as a result has it.
DOCUMENTS: dict[str, Any] = {
    "ranges": [],
    "artifacts": [],
    "transcription": None,
    "analysis": None,
    "result": {"kind": "analysis", "ranges": [], "metadata": {}},
}
# The database itself writes these.
OWN = {"alembic_version", "job_changes"}
TIMEOUT_S = 60
EARLIER = [version for version in VERSIONS if version != HEAD]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with nothing in it, of either kind."""
    if request.param == "sqlite":
        return str(tmp_path / "store.db")
    found: str = request.getfixturevalue("bare_postgres_url")
    return found


def migrate(connection: Connection, version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, version)


def some_value(column: Any) -> Any:  # noqa: PLR0911 - one for each type
    """A value of the column's type, told from others where it can be."""
    kind = column.type
    if isinstance(kind, Uuid):
        return UUID(int=7)
    if isinstance(kind, types.Boolean):
        return True
    if isinstance(kind, Utc):
        return datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    if column.name in DOCUMENTS:
        return DOCUMENTS[column.name]
    if isinstance(kind, Json | types.JSON):
        return {"some": ["value", 1, None]}
    if isinstance(kind, types.Integer):
        return 1
    if isinstance(kind, types.Float):
        return 0.5
    if column.name == "status":
        return "failed"
    return f"some {column.name}"[: getattr(kind, "length", None)]


def fill(connection: Connection) -> dict[str, dict[str, Any]]:
    """A row of every table, with a value in every column."""
    reflected = MetaData()
    reflected.reflect(connection)
    rows = {}
    for table in reflected.sorted_tables:
        if table.name in OWN or table.name.startswith("passages_words"):
            continue
        known = Record.metadata.tables.get(table.name, table)
        row = {name: some_value(known.c.get(name, table.c[name])) for name in table.c.keys()}  # noqa: SIM118 - iterating gives columns
        if "algorithm" in row:
            row["algorithm"] = "blake3"
        if known.name == "jobs":
            row["action"] = None
        source = Table(table.name, MetaData(), *(_copy(known, table, name) for name in row))
        connection.execute(source.insert().values(row))
        rows[table.name] = dict(connection.execute(select(source)).mappings().one())
    return rows


def _copy(known: Table, table: Table, name: str) -> Any:
    column = known.c.get(name, table.c[name])
    return column._copy() if not column.foreign_keys else _without_key(column)


def _without_key(column: Any) -> Any:
    from sqlalchemy import Column  # noqa: PLC0415 - to copy one column

    return Column(column.name, column.type, primary_key=column.primary_key)


def at_version(url: str, version: str) -> dict[str, dict[str, Any]]:
    """Make the database's schema of that version; returns the row that each table was given."""
    database = database_at(locate(url))
    with database.write() as connection:
        migrate(connection, version)
        rows = fill(connection)
    database.close()
    return rows


@pytest.mark.parametrize("version", EARLIER)
def test_every_row_of_every_earlier_schema_is_kept(url: str, version: str) -> None:
    rows = at_version(url, version)
    assert {"jobs", "analysis_jobs", "processing_jobs", "file_hashes", "meta"} <= set(rows)
    done = upgrade_at(url)
    assert (done.before, done.after) == (version, HEAD)
    database = database_at(locate(url))
    with database.read() as connection:
        for name, row in rows.items():
            if name == "passages":
                continue  # derived anew from the cached results
            table = Record.metadata.tables[name]
            found = connection.execute(select(table)).mappings().all()
            kept = [{column: each[column] for column in row if column in each} for each in found]
            assert {column: row[column] for column in kept[0]} in kept, name
    database.close()


@pytest.mark.parametrize("way", ["plain SQL", "a session"])
def test_a_store_that_was_upgraded_and_never_opened_takes_jobs(url: str, way: str) -> None:
    upgrade_at(url)
    engine = create_engine(locate(url).url)
    statement = text("INSERT INTO jobs (id, job_type, media_url) VALUES (:id, 'audio', '/a.mp3')")
    with Session(engine) as session:
        for _ in range(2):
            if way == "plain SQL":
                session.execute(statement.bindparams(bindparam("id", uuid4(), type_=Uuid())))
            else:
                JobRepository(session).create({"job_type": "audio", "media_url": "/a.mp3"})
        session.commit()
    engine.dispose()
    with closing(open_store(url)) as store:
        assert [view.number for view in store.jobs()] == [2, 1]


def test_what_migrations_make_is_what_the_tables_describe(url: str) -> None:
    upgrade_at(url)
    database = database_at(locate(url))
    options = {
        "compare_type": True,
        # Postgres spells defaults in its own way; the next test compares them as it does.
        "compare_server_default": "://" not in url,
        "include_name": lambda name, kind, _parents: (
            not str(name).startswith(("passages_words", "idx_passages_words"))
        ),
    }
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Record.metadata) == []
        comments = {
            name: inspect(connection).get_table_comment(name)["text"]
            for name in Record.metadata.tables
            if connection.dialect.supports_comments
        }
    assert comments in ({}, {name: one.comment for name, one in Record.metadata.tables.items()})
    database.close()


def test_tables_made_from_their_description_equal_the_migrated_ones(
    bare_postgres_url: str, postgres: "Postgres"
) -> None:
    upgrade_at(bare_postgres_url)
    name = f"described_{uuid4().hex}"
    described = postgres.create(name)
    engine = create_engine(locate(described).url)
    Record.metadata.create_all(engine)
    engine.dispose()
    assert columns_and_indexes(bare_postgres_url) == columns_and_indexes(described)
    postgres.drop(name)


def columns_and_indexes(url: str) -> dict[str, Any]:
    """Types, defaults, keys, indexes and comments of each table, as the database tells them."""
    engine = create_engine(locate(url).url)
    with engine.connect() as connection:
        found = inspect(connection)
        told = {
            name: {
                "columns": [
                    {**each, "type": each["type"].compile(engine.dialect)}
                    for each in found.get_columns(name)
                ],
                "primary": found.get_pk_constraint(name),
                "foreign": sorted(map(str, found.get_foreign_keys(name))),
                "unique": sorted(map(str, found.get_unique_constraints(name))),
                "checks": sorted(map(str, found.get_check_constraints(name))),
                "indexes": sorted(
                    str(index)
                    for index in found.get_indexes(name)
                    if index["name"] != "idx_passages_words"
                ),
            }
            for name in Record.metadata.tables
        }
    engine.dispose()
    return told


# --- files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", EARLIER)
def test_a_file_is_copied_before_it_is_upgraded(tmp_path: Path, version: str) -> None:
    path = tmp_path / "store.db"
    at_version(str(path), version)
    open_store(path).close()
    backup = tmp_path / f"store.db.{version}.backup"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with sqlite3.connect(backup) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (
            version,
        )
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
    connection.close()
    assert {each.name for each in tmp_path.iterdir()} == {"store.db", backup.name}


def test_a_copy_that_cannot_be_finished_leaves_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_version(str(tmp_path / "store.db"), EARLIER[0])

    def sync(_path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("mediahost.store.upgrade._sync", sync)
    before = kept_in_wal(tmp_path / "store.db")
    with pytest.raises(StoreError, match=r"is not upgraded, .*: No space left on device$") as told:
        open_store(tmp_path / "store.db")
    assert told.value.hint
    assert "has 1 MB free" in told.value.hint
    assert [each.name for each in tmp_path.iterdir()] == ["store.db"]
    assert (tmp_path / "store.db").read_bytes() == before


def kept_in_wal(path: Path) -> bytes:
    """Give a file the journal that all stores have; returns its bytes."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    return path.read_bytes()


NOT_UPGRADED = "The store {} is not upgraded, for no copy can be kept of it as it is"
HELD_OPEN = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA user_version = 1")
print("open", flush=True)
sys.stdin.read()
"""


def read_all(folder: Path) -> dict[str, bytes]:
    """What each file holds, but for SQLite's memory of who reads."""
    return {
        file.name: file.read_bytes() for file in folder.iterdir() if not file.name.endswith("-shm")
    }


def test_a_file_is_not_upgraded_where_no_copy_of_it_may_be_written(
    home: "Home",
) -> None:
    # Root may write anywhere unless it lays that right down.
    drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    if os.geteuid() == 0 and subprocess.run([*drop, "true"], check=False).returncode:
        pytest.skip("setpriv is not there")
    folder = home.folder / "locked"
    folder.mkdir()
    path = folder / "store.db"
    at_version(str(path), EARLIER[0])
    # Another program has it open, so what SQLite wants beside it is there already.
    with subprocess.Popen(
        [sys.executable, "-c", HELD_OPEN, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "open\n"
        before = read_all(folder)
        folder.chmod(0o500)
        answer = home.call(
            "jobs",
            "list",
            environ={"MEDIAHOST_DATABASE_URL": str(path)},
            prefix=drop if os.geteuid() == 0 else [],
        )
        after = read_all(folder)
        other.communicate("close", timeout=TIMEOUT_S)
    folder.chmod(0o700)
    assert answer.code == 3
    assert answer.err.splitlines() == [
        f"mediahost: {NOT_UPGRADED.format(path)}: Permission denied",
        "  See that its folder can be written and has 1 MB free, then try again.",
    ]
    assert after == before


def test_a_file_is_not_upgraded_on_a_full_disk(small_disk: Path) -> None:
    path = small_disk / "store.db"
    at_version(str(path), EARLIER[0])
    before = kept_in_wal(path)
    room = os.statvfs(small_disk)
    left = room.f_bavail * room.f_frsize - len(before) // 2
    (small_disk / "others").write_bytes(bytes(left))
    with pytest.raises(StoreError, match=r"is not upgraded, .*: the disk is full$"):
        open_store(path)
    assert path.read_bytes() == before
    assert {each.name for each in small_disk.iterdir()} == {"store.db", "others"}
    (small_disk / "others").unlink()
    open_store(path).close()


# As they are documented, to the letter.
ANALYSES = """
CREATE TABLE analysis_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file_path TEXT NOT NULL, file_hash TEXT NOT NULL,
    config_hash TEXT NOT NULL, ranges JSON, metadata JSON, created_at REAL NOT NULL,
    UNIQUE (file_path, config_hash)
);
CREATE INDEX idx_analysis_jobs_created_at ON analysis_jobs (created_at);
INSERT INTO analysis_jobs VALUES
    (3, 'a.wav', 'sha256:a', 'c', '[{"start": 0, "end": 2.5, "label": "speech"}]', '{}', 5.5),
    (7, 'b.wav', 'sha256:b', 'c', NULL, 'no JSON', 6.5);
"""
PROCESSINGS = """
CREATE TABLE processing_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT UNIQUE NOT NULL, action TEXT NOT NULL,
    input_path TEXT NOT NULL, input_hash TEXT NOT NULL, output_path TEXT NOT NULL,
    output_hash TEXT NOT NULL, parameters JSON, metadata JSON, created_at REAL NOT NULL
);
INSERT INTO processing_jobs VALUES
    (1, 'j', 'convert', 'a.mp4', 'sha256:1', 'b.mp3', 'sha256:2', '{"x": 1}', NULL, 5.5);
"""


def documented(path: Path, *scripts: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        for script in scripts:
            connection.executescript(script)
        connection.commit()
    return path


def dumped(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize("scripts", [(ANALYSES, PROCESSINGS), (ANALYSES,), (PROCESSINGS,)])
def test_a_cache_that_another_program_made_as_documented_keeps_its_rows(
    tmp_path: Path, scripts: tuple[str, ...]
) -> None:
    path = documented(tmp_path / "cache.db", *scripts)
    before = dumped(path)
    with closing(open_store(path)) as store:
        found = MediaAnalysisStorage(store)
        made = MediaProcessingStorage(store)
        if ANALYSES in scripts:
            assert [row.file_path for row in found.list_jobs()] == ["b.wav", "a.wav"]
            row = found.get_cached("a.wav", "c", "sha256:a")
            assert row is not None
            assert row.created_at == 5.5
            assert row.ranges == [{"start": 0, "end": 2.5, "label": "speech"}]
            assert store.algorithm == "sha256"
        if PROCESSINGS in scripts:
            row_made = made.get_by_job_id("j")
            assert row_made is not None
            assert (row_made.parameters, row_made.created_at) == ({"x": 1}, 5.5)
            assert [making.job_id for making in store.makings_into(["sha256:2"])] == ["j"]
        found.save("a.wav", "sha256:a", "c", [])
        found.save("new.wav", "sha256:new", "c", [])
        assert len(found.list_jobs()) == (3 if ANALYSES in scripts else 2)
    assert dumped(tmp_path / "cache.db.documented.backup") == before
    open_store(path).close()
    with pytest.raises(UsageError, match="a store already"):
        copy_to(path, documented(tmp_path / "other.db", *scripts))


@pytest.mark.parametrize(
    "more",
    [
        "CREATE TABLE songs (id INTEGER)",
        "CREATE VIEW songs AS SELECT 1",
        "ALTER TABLE analysis_jobs ADD COLUMN songs TEXT",
    ],
)
def test_a_cache_with_something_else_in_it_is_another_programs(tmp_path: Path, more: str) -> None:
    path = documented(tmp_path / "cache.db", ANALYSES, more)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program's database"):
        open_store(path)
    assert path.read_bytes() == before


def test_a_new_file_needs_no_backup(tmp_path: Path) -> None:
    open_store(tmp_path / "store.db").close()
    assert [each.name for each in tmp_path.iterdir()] == ["store.db"]


@pytest.mark.parametrize("version", EARLIER)
def test_an_upgrade_that_fails_leaves_the_store_as_it_was(
    tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.db"
    rows = at_version(str(path), version)

    def migrate_then_fail(connection: Connection) -> None:
        migrate(connection, "head")
        connection.exec_driver_sql("DELETE FROM jobs")
        raise StoreError("The disk is full")

    monkeypatch.setattr("mediahost.store.upgrade.migrate", migrate_then_fail)
    with pytest.raises(StoreError, match="disk is full"):
        open_store(path)
    monkeypatch.undo()
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        assert found == (version,)
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
    connection.close()
    store = open_store(path)
    assert len(store.jobs()) == len([rows["jobs"]])
    store.close()


def test_an_upgrade_does_not_enforce_foreign_keys_while_tables_are_made_anew(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store.db"
    open_store(path).close()
    database = SqliteDatabase(path)
    with database.exclusive() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 0
    with database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    database.close()


# --- newer stores ------------------------------------------------------------------------------


def asked(name: str) -> JobRequest:
    media = MediaFile(Path(f"/media/{name}.mp4"), MediaKind.VIDEO, hash_bytes(name.encode()))
    return JobRequest("hello.halves", 1, {"at": 0.5}, media, hash_bytes(b"config"))


def made_by_a_newer_one(url: str) -> None:
    database = database_at(locate(url))
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.exec_driver_sql("ALTER TABLE jobs ADD COLUMN mood TEXT")
    database.close()


def test_the_store_of_a_newer_mediahost_can_be_looked_at_and_not_be_written(url: str) -> None:
    upgrade_at(url)
    store = open_store(url)
    store.submit([asked("one")])
    store.close()
    made_by_a_newer_one(url)
    refused = re.escape(f"has schema 9999, and this mediahost knows {HEAD}")
    with pytest.raises(StoreError, match=refused) as raised:
        open_store(url)
    assert "\n" not in raised.value.message
    with pytest.raises(StoreError, match=refused):
        upgrade_at(url)
    looking = open_store(url, browse=True)
    assert [view.action for view in looking.jobs()] == ["hello.halves"]
    assert looking.results_of(hash_bytes(b"one")) == []
    looking.remember_hashes([])
    with pytest.raises(StoreError, match=refused):
        looking.submit([asked("two")])
    with pytest.raises(StoreError, match=refused):
        looking.claim("here", 1, 60)
    looking.close()
    assert describe(url).schema == "9999"


def test_commands_that_look_show_a_newer_store_and_others_refuse_it(home: "Home") -> None:
    home.tone("a.wav")
    home.call("run", "media", "--action", "count.look")
    (path,) = home.folder.rglob("store.db")
    made_by_a_newer_one(str(path))
    assert "count.look" in home.call("jobs", "list").out
    assert "count.look" in home.call("jobs", "show", "1").out
    assert "count.look" in home.call("results", "media/a.wav").out
    for arguments in (("run", "media", "--action", "count.look"), ("jobs", "retry", "1")):
        answer = home.call(*arguments)
        assert answer.code == 3
        assert "has schema 9999" in answer.err
        assert "upgrade this one" in answer.err
