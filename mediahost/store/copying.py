"""Copies of a whole store into another database: SQLite or Postgres, either way.

Rows go in batches, each a transaction, in the order of their keys. A copy that was interrupted is
gone on with: rows that are there and equal stay, others are replaced. What was made with it, the
row of `meta`, goes last, so a store without it and with rows is a copy that is not finished.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Insert,
    Integer,
    RowMapping,
    Table,
    func,
    literal,
    select,
    text,
    tuple_,
)

from mediahost.errors import StoreError, UsageError
from mediahost.hashing import hash_bytes
from mediahost.store.catalog import all_tables
from mediahost.store.databases import database_at
from mediahost.store.dialect import among, listed, write_rows
from mediahost.store.engine import Database
from mediahost.store.folder_tables import cached_folders
from mediahost.store.location import locate
from mediahost.store.store import open_store
from mediahost.store.tables import job_changes, meta
from mediahost.store.upgrade import upgrade

BATCH = 500

Key = tuple[Any, ...]
OnRows = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """A table that was copied.

    Attributes:
        name: Which.
        rows: How many rows it has.
        written: How many of them were written now; the others were there already.
    """

    name: str
    rows: int
    written: int


def copy_store(
    source: Database, target: Database, on_rows: OnRows = lambda _table, _done, _total: None
) -> list[CopiedTable]:
    """Copy all rows of one moment, and compare each with its copy.

    Args:
        source: Where from, with the newest schema.
        target: Where to, with the newest schema: empty, or an earlier copy that was interrupted.
        on_rows: Learns of the table, and how many of how many of its rows are there.

    Raises:
        UsageError: The target is a store already.
        StoreError: A database can't be used, or a copy differs from its row.
    """
    with target.read() as connection:
        if connection.execute(select(meta.c.id)).first():
            raise UsageError(
                "There is a store already where the copy should go", "Give a new place."
            )
    with source.read() as reading:
        copied = [_copy(reading, target, table, on_rows) for table in _tables()]
        for table in _tables():
            _compare(reading, target, table)
        copied.append(_sign(reading, target))
        on_rows(meta.name, 1, 1)
    return copied


def copy_to(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    on_rows: OnRows = lambda _table, _done, _total: None,
) -> list[CopiedTable]:
    """Copy a whole store.

    Args:
        source: Path or URL of the store, which must be there.
        target: Path or URL of a new one, or of a copy that was interrupted.
        on_rows: Learns of the table, and how many of how many of its rows are there.

    Raises:
        UsageError: There is no source, or the target is a store already.
        StoreError: One of them can't be used, or a copy differs from its row.
    """
    here, there = locate(source), locate(target)
    if here.path and not here.path.exists():
        raise UsageError(f"There is no store {here}")
    if here == there:
        raise UsageError("A store can't be copied onto itself", "Give a new place.")
    opened = open_store(source)
    try:
        database = database_at(there)
        try:
            upgrade(database)
            return copy_store(opened.database, database, on_rows)
        finally:
            database.close()
    finally:
        opened.close()


def _tables() -> list[Table]:
    """What is copied, parents first. What a database notes for itself is its own."""
    return [table for table in all_tables() if table not in (meta, job_changes, cached_folders)]


def _copy(reading: Connection, target: Database, table: Table, on_rows: OnRows) -> CopiedTable:
    total = reading.execute(select(func.count()).select_from(table)).scalar_one()
    _remove_others(reading, target, table)
    done = written = 0
    for rows in _batches(reading, table):
        with target.write() as writing:
            there = _rows_of(writing, table, [_key(table, row) for row in rows])
            missing = [row for row in rows if _key(table, row) not in there]
            if missing:
                write_rows(writing, _insert(table), [dict(row) for row in missing])
        done, written = done + len(rows), written + len(missing)
        on_rows(table.name, done, total)
    _move_sequence(target, table)
    return CopiedTable(table.name, done, written)


def _sign(reading: Connection, target: Database) -> CopiedTable:
    """Write what the copy was made with, which makes it a store."""
    row = dict(reading.execute(select(meta)).mappings().one())
    # The copy's log of changes is its own and begins now: places in the other one say nothing.
    row["changes_trimmed"] = 0
    with target.write() as writing:
        writing.execute(meta.insert(), row)
    return CopiedTable(meta.name, 1, 1)


def _remove_others(reading: Connection, target: Database, table: Table) -> None:
    """Remove rows of an earlier attempt that the source doesn't have, or not so any more."""
    with target.read() as connection:
        batches = list(_keys_in_batches(connection, table))
    for keys in batches:
        with target.write() as writing:
            there = _rows_of(writing, table, keys)
            here = _rows_of(reading, table, keys)
            stale = [
                key
                for key in keys
                if key not in here or row_hash(here[key]) != row_hash(there[key])
            ]
            if stale:
                writing.execute(table.delete().where(_among(table)), _asked(stale))


def _compare(reading: Connection, target: Database, table: Table) -> None:
    """See that each row has its equal, and that there is no other.

    Raises:
        StoreError: It isn't so.
    """
    number = 0
    with target.read() as connection:
        for rows in _batches(reading, table):
            copies = _rows_of(connection, table, [_key(table, row) for row in rows])
            for row in rows:
                key = _key(table, row)
                if key not in copies or row_hash(copies[key]) != row_hash(row):
                    raise StoreError(
                        f"The copy of {table.name} {', '.join(map(str, key))} differs from its row",
                        "Call the same command again; the store that was copied is untouched.",
                    )
            number += len(rows)
        count = connection.execute(select(func.count()).select_from(table)).scalar_one()
    if count != number:
        raise StoreError(
            f"The copy of {table.name} has {count:,} rows, not {number:,}",
            "Does somebody write to it? Call the same command again.",
        )


def row_hash(row: Mapping[Any, Any]) -> str:
    """A hash of what a row says, whichever database says it."""
    plain = {name: _plain(value) for name, value in row.items()}
    return hash_bytes(json.dumps(plain, sort_keys=True, default=str).encode())


def _plain(value: Any) -> Any:
    # Postgres keeps numbers in JSON as decimals: 1e3 comes back as 1000.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _batches(connection: Connection, table: Table) -> Iterator[Sequence[RowMapping]]:
    """All rows, in the order that this database has of their keys."""
    key = tuple_(*table.primary_key.columns)
    wanted = select(table).order_by(*table.primary_key.columns).limit(BATCH)
    rows = connection.execute(wanted).mappings().all()
    while rows:
        yield rows
        last = _key(table, rows[-1])
        beyond = wanted.where(key > tuple_(*_literals(table, last)))
        rows = connection.execute(beyond).mappings().all()


def _keys_in_batches(connection: Connection, table: Table) -> Iterator[list[Key]]:
    keys = [tuple(row) for row in connection.execute(select(*table.primary_key.columns))]
    for start in range(0, len(keys), BATCH):
        yield keys[start : start + BATCH]


def _rows_of(connection: Connection, table: Table, keys: Sequence[Key]) -> dict[Key, RowMapping]:
    wanted = select(table).where(_among(table))
    rows = connection.execute(wanted, _asked(keys)).mappings()
    return {_key(table, row): row for row in rows}


def _among(table: Table) -> among:
    return among(list(table.primary_key.columns), "keys")


def _asked(keys: Sequence[Key]) -> dict[str, str]:
    return {"keys": listed(key if len(key) > 1 else key[0] for key in keys)}


def _key(table: Table, row: RowMapping) -> Key:
    return tuple(row[column.name] for column in table.primary_key.columns)


def _literals(table: Table, key: Key) -> list[Any]:
    columns = table.primary_key.columns
    return [literal(part, column.type) for part, column in zip(key, columns, strict=True)]


@cache
def _insert(table: Table) -> Insert:
    return table.insert()


def _move_sequence(target: Database, table: Table) -> None:
    """Have Postgres number new rows behind those that came with their numbers."""
    (column, *others) = table.primary_key.columns
    if others or not isinstance(column.type, Integer) or column.autoincrement is False:
        return
    with target.write() as writing:
        if writing.dialect.name == "postgresql":
            words = text(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'),"  # noqa: S608
                f" greatest(max({column.name}), 1)) FROM {table.name}"
            )
            writing.execute(words)
