"""Copies of a whole store into another database: SQLite or Postgres, either way.

Rows go in batches, each a transaction, in the order of their keys. A copy that was interrupted is
gone on with: rows that are there and equal stay, others are replaced. What was made with it, the
row of `meta`, goes last, so a store without it and with rows is a copy that is not finished.

What is written to the target outlasts a restart of its server. What is read of the source is of one
moment, which a restart ends.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from sqlalchemy import (
    Connection,
    Insert,
    Integer,
    RowMapping,
    Select,
    Table,
    func,
    literal,
    select,
    text,
    tuple_,
)

from mediahost.errors import StoreError, UsageError
from mediahost.hashing import hash_bytes
from mediahost.model.paths import display
from mediahost.store.catalog import all_tables
from mediahost.store.databases import database_at
from mediahost.store.dialect import among, listed, write_rows
from mediahost.store.documents import metadata_together
from mediahost.store.engine import Database
from mediahost.store.folder_tables import cached_folders
from mediahost.store.location import locate
from mediahost.store.sqlite_file import files_of
from mediahost.store.store import open_store
from mediahost.store.tables import job_changes, meta
from mediahost.store.upgrade import upgrade

BATCH = 500

_LOCK = text(f"LOCK TABLE {meta.name} IN EXCLUSIVE MODE")

Key = tuple[Any, ...]
Row = Mapping[Any, Any]
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
        _refuse_store(connection)
    with source.read() as reading:
        copied = [_copy(reading, target, table, on_rows) for table in _tables()]
        target.persevere(partial(_compare_and_sign, reading, target))
        on_rows(meta.name, 1, 1)
    return [*copied, CopiedTable(meta.name, 1, 1)]


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
            return _copy_or_say_how_to_go_on(opened.database, database, on_rows)
        finally:
            database.close()
    finally:
        opened.close()


def _copy_or_say_how_to_go_on(
    source: Database, target: Database, on_rows: OnRows
) -> list[CopiedTable]:
    try:
        return copy_store(source, target, on_rows)
    except StoreError as error:
        target.close()  # what is beside the file goes now, if it can
        hints = [error.hint, "The same command goes on where this one stopped."]
        if target.location.path:
            left = ", ".join(display(path.name) for path in files_of(target.location.path))
            hints.append(f"To give the copy up, delete what there is of it: {left}.")
        raise StoreError(error.message, "\n".join(filter(None, hints))) from error


def _refuse_store(connection: Connection) -> None:
    if connection.execute(select(meta.c.id)).first():
        raise UsageError("There is a store already where the copy should go", "Give a new place.")


@contextmanager
def _writing(target: Database) -> Iterator[Connection]:
    """A transaction in which no other copy writes to the same place, nor has been finished."""
    with target.write() as writing:
        if writing.dialect.name == "postgresql":  # SQLite has one writer at a time
            writing.execute(_LOCK)
        _refuse_store(writing)
        yield writing


def _tables() -> list[Table]:
    """What is copied, parents first. What a database notes for itself is its own."""
    return [table for table in all_tables() if table not in (meta, job_changes, cached_folders)]


def _copy(reading: Connection, target: Database, table: Table, on_rows: OnRows) -> CopiedTable:
    total = reading.execute(_count_of(table)).scalar_one()
    _remove_others(reading, target, table)
    done = written = 0
    for rows in _batches(reading, table):
        written += target.persevere(partial(_write_missing, target, table, rows))
        done += len(rows)
        on_rows(table.name, done, total)
    target.persevere(partial(_move_sequence, target, table))
    return CopiedTable(table.name, done, written)


def _write_missing(target: Database, table: Table, rows: Sequence[Row]) -> int:
    with _writing(target) as writing:
        there = _rows_of(writing, table, [_key(table, row) for row in rows])
        missing = [_in_order(row) for row in rows if _key(table, row) not in there]
        if missing:
            write_rows(writing, _insert(table), missing)
    return len(missing)


def _in_order(row: Row) -> dict[Any, Any]:
    """The row, with what a result lacks where SQLite looks for it: Postgres reorders members."""
    metadata = row.get("metadata")
    return {**row, "metadata": metadata_together(metadata)} if metadata else dict(row)


def _compare_and_sign(reading: Connection, target: Database) -> None:
    """See that all is copied, and write what the copy was made with, which makes it a store.

    In one transaction: no other copy to the same place can come between.

    Raises:
        StoreError: Something is not.
    """
    row = dict(reading.execute(select(meta)).mappings().one())
    # The copy's log of changes is its own and begins now: places in the other one say nothing.
    row["changes_trimmed"] = 0
    with _writing(target) as writing:
        for table in _tables():
            _compare(reading, writing, table)
        write_rows(writing, _insert(meta), [row])


def _remove_others(reading: Connection, target: Database, table: Table) -> None:
    """Remove rows of an earlier attempt that the source doesn't have, or not so any more."""
    for keys in target.persevere(partial(_keys_in_batches, target, table)):
        here = _rows_of(reading, table, keys)
        target.persevere(partial(_remove_unequal, target, table, keys, here))


def _remove_unequal(
    target: Database, table: Table, keys: Sequence[Key], here: Mapping[Key, RowMapping]
) -> None:
    with _writing(target) as writing:
        there = _rows_of(writing, table, keys)
        stale = [
            key for key in there if key not in here or row_hash(here[key]) != row_hash(there[key])
        ]
        if stale:
            writing.execute(table.delete().where(_among(table)), _asked(stale))


def _compare(reading: Connection, copy: Connection, table: Table) -> None:
    """See that each row has its equal, and that there is no other.

    Raises:
        StoreError: It isn't so.
    """
    number = 0
    for rows in _batches(reading, table):
        keys = [_key(table, row) for row in rows]
        copies = _rows_of(copy, table, keys)
        for key, row in zip(keys, rows, strict=True):
            if key not in copies or row_hash(copies[key]) != row_hash(row):
                raise StoreError(
                    f"The copy of {table.name} {', '.join(map(str, key))} differs from its row",
                    "The store that was copied is untouched.",
                )
        number += len(rows)
    count = copy.execute(_count_of(table)).scalar_one()
    if count != number:
        raise StoreError(
            f"The copy of {table.name} has {count:,} rows, not {number:,}",
            "Does somebody write to it?",
        )


def _count_of(table: Table) -> Select[int]:
    return select(func.count()).select_from(table)


def row_hash(row: Row) -> str:
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


def _keys_in_batches(database: Database, table: Table) -> list[list[Key]]:
    with database.read() as connection:
        keys = [tuple(row) for row in connection.execute(select(*table.primary_key.columns))]
    return [keys[start : start + BATCH] for start in range(0, len(keys), BATCH)]


def _rows_of(connection: Connection, table: Table, keys: Sequence[Key]) -> dict[Key, RowMapping]:
    wanted = select(table).where(_among(table))
    rows = connection.execute(wanted, _asked(keys)).mappings()
    return {_key(table, row): row for row in rows}


def _among(table: Table) -> among:
    return among(list(table.primary_key.columns), "keys")


def _asked(keys: Sequence[Key]) -> dict[str, str]:
    return {"keys": listed(key if len(key) > 1 else key[0] for key in keys)}


def _key(table: Table, row: Row) -> Key:
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
