"""A check of the schema: is each table, column, index, trigger and constraint as it was made.

What it is compared with is made by the migrations at that moment: on SQLite in a file of its own,
on Postgres in a schema of its own, within a transaction that is rolled back.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from mediahost.model.job import JobStatus
from mediahost.store.backfill import write_all_passages
from mediahost.store.databases import database_at
from mediahost.store.derived import passages
from mediahost.store.engine import Database
from mediahost.store.fulltext import INDEX, drop_full_text
from mediahost.store.location import locate
from mediahost.store.tables import jobs
from mediahost.store.upgrade import migrate, upgrade

# What search finds is derived: it can be made again, whatever happened to it.
SEARCH = frozenset({passages.name, INDEX})
REBUILT = ("function", "index", "trigger")

_SQLITE_OBJECTS = """
SELECT type, name, tbl_name, sql FROM sqlite_schema
WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite~_%' ESCAPE '~' AND name NOT LIKE 'passages_words~_%' ESCAPE '~'
   OR type = 'trigger'
"""  # noqa: E501 - one condition
_SQLITE_COLUMNS = 'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)'
_POSTGRES_OBJECTS = {
    "column": """
        SELECT attrelid::regclass::text, relname || '.' || attname,
            format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
            || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = CAST(:schema AS regnamespace) AND relkind = 'r' AND attnum > 0
            AND NOT attisdropped""",
    "constraint": """
        SELECT relname, relname || '.' || conname, pg_get_constraintdef(pg_constraint.oid)
        FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
        WHERE relnamespace = CAST(:schema AS regnamespace) AND contype IN ('c', 'f', 'p', 'u')""",
    "index": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = :schema",
    "trigger": """
        SELECT relname, tgname, pg_get_triggerdef(pg_trigger.oid)
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = CAST(:schema AS regnamespace) AND NOT tgisinternal""",
    "function": """
        SELECT '', proname, pg_get_functiondef(oid) FROM pg_proc
        WHERE pronamespace = CAST(:schema AS regnamespace) AND prokind = 'f'""",
    "table": """
        SELECT relname, relname, 'TABLE' FROM pg_class
        WHERE relnamespace = CAST(:schema AS regnamespace) AND relkind = 'r'""",
}
_STATUSES = (
    select(jobs.c.status, func.count())
    .where(jobs.c.status.not_in([str(status) for status in JobStatus]))
    .group_by(jobs.c.status)
)


@dataclass(frozen=True, slots=True)
class Made:
    """A part of a schema.

    Attributes:
        table: The table that it belongs to; empty for a function.
        spelled: Its definition, for comparison.
        definition: How it is made.
    """

    table: str
    spelled: str
    definition: str = field(compare=False, default="")


Schema = Mapping[tuple[str, str], Made]


@dataclass(frozen=True, slots=True)
class Damage:
    """A part that is not as it was made.

    Attributes:
        kind: table, column, constraint, index, trigger or function.
        name: Its name.
        reason: What is wrong with it.
        can_be_rebuilt: Nothing of a person's was in it.
    """

    kind: str
    name: str
    reason: str
    can_be_rebuilt: bool

    def __str__(self) -> str:
        return f"The {self.kind} {self.name} {self.reason}"


def find_damage(database: Database) -> list[Damage]:
    """What of a store with the newest schema is not as the migrations make it.

    Raises:
        StoreError: The database can't be read, or there is no room for what it is compared with.
    """
    with _as_made(database) as made, database.read() as connection:
        return _compare(made, _schema_of(connection))


def repair(database: Database) -> list[Damage]:
    """Rebuild what can be: indexes, triggers, functions, and all that search reads.

    Returns:
        What was rebuilt.

    Raises:
        StoreError: The database can't be written, or what is in it allows no such index.
    """
    with _as_made(database) as made, database.write() as connection:
        damages = [one for one in _compare(made, _schema_of(connection)) if one.can_be_rebuilt]
        ours = [one for one in damages if not _is_search(made[one.kind, one.name], one.name)]
        order = {kind: place for place, kind in enumerate(REBUILT)}
        for one in sorted(ours, key=lambda one: order[one.kind]):
            _drop(connection, one, made[one.kind, one.name])
            # By the driver: nothing in it is a parameter.
            cursor: Any = connection.connection.cursor()
            cursor.execute(made[one.kind, one.name].definition)
        if len(ours) < len(damages):
            _make_search_anew(connection)
    return damages


def odd_statuses(connection: Connection) -> list[str]:
    """Statuses of jobs that this version doesn't know, in a sentence each."""
    return [
        f"The status {status} is unknown here; jobs that have it: {count:,}"
        for status, count in connection.execute(_STATUSES)
    ]


def _compare(made: Schema, found: Schema) -> list[Damage]:
    lost_tables = {name for kind, name in made.keys() - found.keys() if kind == "table"}
    damages = []
    for (kind, name), part in made.items():
        there = found.get((kind, name))
        if there == part or (kind != "table" and part.table in lost_tables):
            continue
        reason = "is missing" if there is None else "is not as it was made"
        can_be_rebuilt = kind in REBUILT or _is_search(part, name)
        damages.append(Damage(kind, name, reason, can_be_rebuilt))
    return sorted(damages, key=lambda one: (one.kind, one.name))


def _is_search(part: Made, name: str) -> bool:
    return part.table in SEARCH or name in SEARCH or name.startswith("passage_")


def _schema_of(connection: Connection, schema: str | None = None) -> Schema:
    if connection.dialect.name == "sqlite":
        return _sqlite_schema(connection)
    own = schema or connection.scalar(text("SELECT current_schema()"))
    found: dict[tuple[str, str], Made] = {}
    for kind, statement in _POSTGRES_OBJECTS.items():
        for table, name, definition in connection.execute(text(statement), {"schema": own}):
            words = re.sub(rf'\b"?{re.escape(str(own))}"?\.', "", definition)
            found[kind, name] = Made(str(table).rpartition(".")[2], words, words)
    return found


def _sqlite_schema(connection: Connection) -> Schema:
    found: dict[tuple[str, str], Made] = {}
    ask: Any = connection.exec_driver_sql
    for kind, name, table, sql in ask(_SQLITE_OBJECTS).all():
        is_virtual = sql.upper().startswith("CREATE VIRTUAL")
        # Columns are compared one by one: an upgrade may have added them at the end.
        words = sql if kind != "table" or is_virtual else "TABLE"
        found[kind, name] = Made(table, " ".join(words.split()), sql)
        if kind == "table" and not is_virtual:
            for column, *facts in ask(_SQLITE_COLUMNS, (name,)).all():
                found["column", f"{name}.{column}"] = Made(table, str(tuple(facts)))
    return found


@contextmanager
def _as_made(database: Database) -> Iterator[Schema]:
    """The schema as the migrations make it."""
    if database.location.path:
        with tempfile.TemporaryDirectory(prefix="mediahost-") as folder:
            fresh = database_at(locate(Path(folder, "fresh.db")))
            try:
                upgrade(fresh)
                with fresh.read() as connection:
                    yield _schema_of(connection)
            finally:
                fresh.close()
        return
    with database.explained(), database.engine.connect() as connection:
        name = f"mediahost_{uuid4().hex}"
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        connection.exec_driver_sql(f"SET LOCAL search_path TO {name}")
        migrate(connection)
        made = _schema_of(connection, name)
        connection.rollback()
    yield made


def _drop(connection: Connection, damage: Damage, part: Made) -> None:
    if damage.kind == "function":
        return  # it is replaced
    of_table = (
        f' ON "{part.table}"'
        if damage.kind == "trigger" and connection.dialect.name != "sqlite"
        else ""
    )
    connection.exec_driver_sql(f'DROP {damage.kind.upper()} IF EXISTS "{damage.name}"{of_table}')


def _make_search_anew(connection: Connection) -> None:
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {passages.name}")
    try:
        with connection.begin_nested():
            drop_full_text(connection)
    except DBAPIError:  # its function is used by something of another name
        pass
    passages.create(connection)
    write_all_passages(connection)
