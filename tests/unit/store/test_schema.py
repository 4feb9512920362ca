"""The tables in code, the schema that migrations make, and the version that ties them."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

from mediahost.store import SqlStore, open_store
from mediahost.store.fulltext import INDEX
from mediahost.store.schema import HEAD, MIGRATIONS
from mediahost.store.tables import Record

DOCUMENTED = {
    "jobs": "id job_type status media_url prompt parameters result error created_at updated_at "
    "started_at completed_at processing_time_ms",
    "media_assets": "id job_id asset_type file_path file_size_bytes mime_type metadata created_at",
    "transcriptions": "id job_id provider text_content language confidence_score word_timestamps "
    "metadata created_at",
    "analysis_results": "id job_id analysis_type summary detailed_analysis confidence_score "
    "model_used prompt_used input_tokens output_tokens created_at",
    "analysis_jobs": "id file_path file_hash config_hash ranges metadata created_at",
    "processing_jobs": "id job_id action input_path input_hash output_path output_hash parameters "
    "metadata created_at",
}


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    opened = open_store(tmp_path / "store.db")
    opened.close()
    return open_store(tmp_path / "store.db")


def statements(path: Path) -> dict[str, str]:
    """How each table and index was created, but for Alembic's and SQLite's own."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        # SQLite quotes the name of a table that was made anew.
        created = {name: " ".join(sql.replace('"', "").split()) for name, sql in rows}
    connection.close()
    return {
        name: sql for name, sql in created.items() if not name.startswith(("sqlite_", "alembic_"))
    }


def test_the_head_that_the_code_knows_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_migrations_make_the_schema_that_the_tables_describe(
    store: SqlStore, tmp_path: Path
) -> None:
    described = create_engine(f"sqlite:///{tmp_path}/described.db")
    Record.metadata.create_all(described)
    described.dispose()
    assert statements(tmp_path / "store.db") == statements(tmp_path / "described.db")
    store.close()


def test_alembic_finds_nothing_to_migrate(store: SqlStore) -> None:
    # Full text is beyond what metadata can say; the test above holds it equal.
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_name": lambda name, _kind, _parents: INDEX not in (name or ""),
    }
    with store._database.read() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Record.metadata) == []
    store.close()


@pytest.mark.parametrize("table", DOCUMENTED)
def test_the_documented_columns_come_first_and_are_named_to_the_letter(table: str) -> None:
    columns = list(Record.metadata.tables[table].columns.keys())
    documented = DOCUMENTED[table].split()
    assert columns[: len(documented)] == documented


def test_documented_indexes_and_keys_are_there(store: SqlStore) -> None:
    with store._database.read() as connection:
        found = inspect(connection)
        names = {index["name"] for index in found.get_indexes("jobs")}
        assert {"idx_jobs_status", "idx_jobs_created_at", "idx_jobs_job_type"} <= names
        unique = found.get_unique_constraints("analysis_jobs")
        assert [each["column_names"] for each in unique] == [["file_path", "config_hash"]]
        unique = found.get_unique_constraints("processing_jobs")
        assert [each["column_names"] for each in unique] == [["job_id"]]
    store.close()


def test_every_table_says_what_it_is_for() -> None:
    for table in Record.metadata.sorted_tables:
        assert table.comment, table.name


def test_what_is_said_of_a_store_names_each_of_its_tables(store: SqlStore, tmp_path: Path) -> None:
    store.close()
    # In a process that has imported nothing else of the store.
    program = (
        "import json, sys; from mediahost.store.about import describe;"
        "print(json.dumps(describe(sys.argv[1]).rows))"
    )
    argv = [sys.executable, "-c", program, str(tmp_path / "store.db")]
    said = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)
    with sqlite3.connect(tmp_path / "store.db") as connection:
        named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        there = {name for (name,) in connection.execute(named) if INDEX not in name}
    assert set(said) == there - {"alembic_version"}
    connection.close()


def test_a_row_of_the_documented_columns_alone_is_complete(store: SqlStore) -> None:
    with store._database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO jobs (id, job_type, media_url) VALUES (:id, 'video', '/media/x.mp4')"
            ),
            {"id": "0" * 32},
        )
    (view,) = store.jobs()
    assert view.status == "pending"
    assert view.created_at.utcoffset() is not None
    assert view.parameters == {}
    assert store.claim("here", 5, 60) == [], "a job without an action is another program's"
    store.close()


def test_two_active_jobs_for_one_key_are_refused_by_the_database(store: SqlStore) -> None:
    insert = text(
        "INSERT INTO jobs (id, job_type, media_url, number, file_hash, config_hash)"
        " VALUES (:id, 'video', '/media/x.mp4', :number, 'f', 'c')"
    )
    with store._database.write() as connection:
        connection.execute(insert, {"id": "0" * 32, "number": 1})
    with pytest.raises(IntegrityError), store._database.write() as connection:
        connection.execute(insert, {"id": "1" * 32, "number": 2})
    store.close()
