"""What the store's statements cost without the store: recorded, then replayed by the driver alone.

That is the floor of what the store does with them: the very statements, with their parameters at
hand, and their rows fetched and left as they are.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from sqlalchemy import event

from mediahost.store import SqlStore
from mediahost.store.engine import Fetched
from mediahost.store.sqlite import PRAGMAS, WRITER_PRAGMAS, SqliteDatabase


class Statement(NamedTuple):
    """One thing that a connection was told, once or for each of many rows of parameters."""

    sql: str
    parameters: Any = ()
    many: bool = False


@contextmanager
def recorded(store: SqlStore) -> Iterator[list[Statement]]:
    """All that the store tells its database meanwhile, in one thread."""
    told: list[Statement] = []

    def execute(_1: Any, _2: Any, sql: str, parameters: Any, _3: Any, many: Any) -> None:
        told.append(Statement(sql, parameters, bool(many)))

    listeners: dict[str, Callable[..., None]] = {
        "before_cursor_execute": execute,
        "begin": lambda each: told.append(
            Statement(each.get_execution_options().get("begin", "BEGIN"))
        ),
        "commit": lambda _: told.append(Statement("COMMIT")),
        "rollback": lambda _: told.append(Statement("ROLLBACK")),
    }

    def setting(sql: str) -> None:
        if sql.startswith("PRAGMA"):
            told.append(Statement(sql))

    database: Any = store._database  # noqa: SLF001 - the store has no door to its statements
    # What SQLite's writer is told past SQLAlchemy, once it has written anything.
    writer = getattr(database, "_driver", None)

    def fetch(sql: str, parameters: Sequence[Any]) -> Fetched:
        told.append(Statement(sql, tuple(parameters)))
        return Fetched(*fetch_past_sqlalchemy(sql, parameters))

    fetch_past_sqlalchemy = database.fetch
    for name, listener in listeners.items():
        event.listen(database.engine, name, listener)
    if writer:
        writer.set_trace_callback(setting)
    # On Postgres it goes through SQLAlchemy, which tells of it.
    lite = isinstance(database, SqliteDatabase)
    with patch.object(database, "fetch", fetch) if lite else nullcontext():
        yield told
    if writer:
        writer.set_trace_callback(None)
    for name, listener in listeners.items():
        event.remove(database.engine, name, listener)


def replay(connection: Any, told: list[Statement]) -> None:
    """Tell a driver's connection the same."""
    cursor = connection.cursor()
    for sql, parameters, many in told:
        if many:
            cursor.executemany(sql, parameters)
        else:
            cursor.execute(sql, parameters)
            if cursor.description:
                cursor.fetchall()


@contextmanager
def lite(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to an SQLite file, set to what the store sets its writer to."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in (*PRAGMAS, *WRITER_PRAGMAS):
            connection.execute(pragma)
        yield connection


def copy(of: Path, to: Path) -> None:
    """An SQLite file again, page by page."""
    with closing(sqlite3.connect(of)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
