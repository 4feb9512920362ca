"""A signal that breaks into a transaction: Python hears of it as soon as SQLite's call returns."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import text

from mediahost.store.sqlite import SqliteDatabase

SQLITE = (sqlite3.Connection, sqlite3.Cursor)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    opened = SqliteDatabase(tmp_path / "store.db")
    with opened.raw() as connection:
        connection.execute("PRAGMA journal_mode = WAL")  # as the first migration does
    with opened.write() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    yield opened
    opened.close()


def add(database: SqliteDatabase, number: int) -> None:
    with database.write() as connection:
        connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": number})


def interrupted(database: SqliteDatabase, after: int) -> bool:
    """Add a row, broken off after so many calls of SQLite; whether there were so many."""
    left = after

    def watch(_frame: FrameType, what: str, called: Any) -> None:
        nonlocal left
        if what == "c_return" and isinstance(getattr(called, "__self__", None), SQLITE):
            left -= 1
            if left == 0:
                raise KeyboardInterrupt

    sys.setprofile(watch)
    try:
        add(database, after)
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
    return False


def test_a_transaction_that_a_signal_breaks_off_keeps_nobody_out(database: SqliteDatabase) -> None:
    with closing(sqlite3.connect(database.path, timeout=0, isolation_level=None)) as other:
        for after in count(1):
            if not interrupted(database, after):
                break
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
            add(database, 0)
    assert after > 3


def break_off(database: SqliteDatabase) -> None:
    with database.write() as connection:
        changed = connection.execute(text("UPDATE t SET n = n + 1 RETURNING n"))
        assert changed.fetchone()
        raise KeyboardInterrupt


def test_rows_that_nobody_fetched_any_more_keep_nobody_from_committing(
    database: SqliteDatabase,
) -> None:
    for number in range(3):
        add(database, number)
    with pytest.raises(KeyboardInterrupt) as broken_off:
        break_off(database)
    # Whoever gives jobs back does so while the exception, and with it the cursor, is still there.
    add(database, 3)
    assert broken_off.value.__traceback__ is not None
    with database.read() as connection:
        assert list(connection.execute(text("SELECT n FROM t")).scalars()) == [0, 1, 2, 3]
