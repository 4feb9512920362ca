"""Caches that another program has made as they are documented: they become stores, rows and all.

Such a file has one or both of the two tables, with the documented columns, and nothing else.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from mediahost.hashing import ALGORITHMS, DEFAULT_ALGORITHM

# What stands for the version of their schema.
DOCUMENTED = "documented"

_COLUMNS = {
    "analysis_jobs": "id, file_path, file_hash, config_hash, ranges, metadata, created_at",
    "processing_jobs": "id, job_id, action, input_path, input_hash, output_path, output_hash, "
    "parameters, metadata, created_at",
}
_JSON = ("ranges", "metadata", "parameters")
# As a storage keeps what was made: lineage reads it.
_MADE = (
    """UPDATE processing_jobs SET artifacts =
        json_array(json_object('path', output_path, 'file_hash', output_hash))""",
    """INSERT INTO made_files (job_id, position, file_path, file_hash)
        SELECT job_id, 0, output_path, output_hash FROM processing_jobs""",
)


def is_documented(connection: Connection) -> bool:
    """Whether an SQLite database is a cache as it is documented."""
    ask = connection.exec_driver_sql
    there = ask(
        "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    ).all()
    tables = {name for kind, name in there if kind == "table"}
    if not tables or tables - _COLUMNS.keys() or {kind for kind, _ in there} - {"table", "index"}:
        return False
    return all(
        set(ask("SELECT name FROM pragma_table_info(?)", (table,)).scalars())
        == set(_COLUMNS[table].split(", "))
        for table in tables
    )


@contextmanager
def set_aside(connection: Connection) -> Iterator[None]:
    """Make room for a store's tables, which are made inside, and put the rows into them."""
    ask = connection.exec_driver_sql
    made = ask("SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL").all()
    tables = [name for _, name in made if name in _COLUMNS]
    for name in (name for kind, name in made if kind == "index"):
        ask(f'DROP INDEX "{name}"')
    for table in tables:
        ask(f"ALTER TABLE {table} RENAME TO {table}_before")
    yield
    for table in tables:
        columns = _COLUMNS[table]
        values = ", ".join(map(_value_of, columns.split(", ")))
        ask(f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table}_before")  # noqa: S608
        ask(f"DROP TABLE {table}_before")
    for statement in _MADE:
        ask(statement)
    ask("INSERT INTO meta (id, algorithm) VALUES (1, ?)", (_algorithm_of(connection),))


def _value_of(column: str) -> str:
    # Nothing reads what is no JSON: it is in the copy that is kept of the file alone.
    return f"CASE WHEN json_valid({column}) THEN {column} END" if column in _JSON else column


def _algorithm_of(connection: Connection) -> str:
    """What the files were hashed with, as their hashes say; a store has one algorithm."""
    named = connection.exec_driver_sql(
        "SELECT substr(file_hash, 1, instr(file_hash, ':') - 1) AS algorithm FROM analysis_jobs"
        " GROUP BY algorithm ORDER BY count(*) DESC"
    ).scalars()
    return next((name for name in named if name in ALGORITHMS), DEFAULT_ALGORITHM)
