"""Backups of a store into one SQLite file, taken while hosts go on writing to it."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from mediahost.errors import StoreError, UsageError
from mediahost.model.paths import display
from mediahost.partfile import PartFile
from mediahost.store.copying import copy_store
from mediahost.store.engine import Database
from mediahost.store.sqlite import SqliteDatabase
from mediahost.store.sqlite_file import files_of, is_full
from mediahost.store.upgrade import upgrade

# Some milliseconds of work between two reports of progress.
PAGES_A_STEP = 2_000


def back_up(
    source: Database,
    target: Path,
    on_pages: Callable[[int, int], None] = lambda _done, _total: None,
) -> int:
    """Write a copy of the database, of one moment, readable by its owner alone.

    Of SQLite it is its own backup, in steps; of Postgres a copy row by row. Either is read under
    one transaction: writers go on meanwhile, and nothing of theirs is in the copy. The copy gets
    its name when it is whole, checked and on the disk.

    Args:
        source: The database.
        target: The file to write, which must not exist.
        on_pages: Learns how many of how many pages are copied; of Postgres, rows of a table.

    Returns:
        Size of the copy in bytes.

    Raises:
        UsageError: The target exists, or its folder doesn't.
        StoreError: The database can't be read, or the copy not written.
    """
    if os.path.lexists(target):
        raise _taken(target)
    try:
        # SQLite locks the file itself.
        opened = PartFile(target, private=True, locked=False)
    except OSError as error:
        raise UsageError(
            f"{display(target)} can't be written: {error.strerror}",
            "Name a file in a folder that is there and that you may write to.",
        ) from error
    part = opened.path
    try:
        if isinstance(source, SqliteDatabase):
            _copy_pages(source, part, on_pages)
        else:
            _copy_rows(source, part, on_pages)
        _check(part)
        opened.keep_new()
    except FileExistsError as error:
        raise _taken(target) from error
    except (StoreError, sqlite3.Error) as error:
        # The store is only read: the disk that is full is the copy's.
        if not is_full(error):
            raise
        raise StoreError(
            f"The backup {display(target)} can't be written: the disk is full",
            "Free some space there, or choose another disk.",
        ) from error
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise StoreError(f"The backup {display(target)} can't be written: {reason}") from error
    finally:
        opened.discard()
        for left in files_of(part):
            left.unlink(missing_ok=True)
    return target.stat().st_size


def _taken(target: Path) -> UsageError:
    return UsageError(f"{display(target)} exists already", "Give the name of a new file.")


def _copy_pages(source: SqliteDatabase, part: Path, on_pages: Callable[[int, int], None]) -> None:
    with source.raw() as reading, closing(_connect(part)) as writing:
        # From here on it is one moment; without it each commit of others would start it anew.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        reading.backup(
            writing,
            pages=PAGES_A_STEP,
            progress=lambda _status, left, total: on_pages(total - left, total),
        )
        reading.execute("COMMIT")
        _be_one_file(writing)


def _copy_rows(source: Database, part: Path, on_pages: Callable[[int, int], None]) -> None:
    copy = SqliteDatabase(part)
    try:
        upgrade(copy)
        copy_store(source, copy, lambda _table, done, total: on_pages(done, total))
    finally:
        copy.close()
    with closing(_connect(part)) as connection:
        _be_one_file(connection)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def _be_one_file(connection: sqlite3.Connection) -> None:
    """A backup is one file: without this it would need two more beside it to be read."""
    connection.execute("PRAGMA journal_mode = DELETE")


def _check(part: Path) -> None:
    try:
        with closing(sqlite3.connect(part)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        raise StoreError(
            f"The store is damaged, so no backup was made: {verdict.splitlines()[-1]}",
            "See what is wrong with: mediahost store check",
        )
