"""Sessions on a store: SQLAlchemy's unit of work, for the repositories and for programs.

On SQLite a transaction begins with its first write, by taking the write lock then and there.
Reading before takes none, so a session that only looks holds nobody up, and none ever finds that
it read too early to write. What it reads is what is committed, as on Postgres by default.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, sessionmaker

from mediahost.store.engine import Database
from mediahost.store.sqlite import take_write_lock
from mediahost.store.store import SqlStore

_READS = re.compile(r"\s*(SELECT|PRAGMA|EXPLAIN|BEGIN|COMMIT|ROLLBACK)\b", re.IGNORECASE)

# What the store's engine sends at the beginning of a transaction is sent by the first write here.
_NOTHING_YET = "SELECT 1"


@contextmanager
def open_session(store: SqlStore) -> Iterator[Session]:
    """A session that commits at the end, or rolls back if an exception comes out of it.

    It may commit earlier, too, and go on.

    A server that restarts is waited for before the session begins.

    Raises:
        StoreError: The database can't be used.
    """
    sessions = sessionmaker(session_engine(store), expire_on_commit=False, autoflush=False)
    database = store.database
    with database.explained(), sessions() as session:
        database.persevere(lambda: _connect(database, session))
        yield session
        session.commit()


def _connect(database: Database, session: Session) -> None:
    with database.explained():
        session.connection()


def session_engine(store: SqlStore) -> Engine:
    """The store's engine, for sessions."""
    engine = store.database.engine
    if engine.dialect.name != "sqlite":
        return engine
    lazy = engine.execution_options(begin=_NOTHING_YET)
    event.listen(lazy, "before_cursor_execute", begin_to_write)
    return lazy


def begin_to_write(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
    """Take SQLite's write lock before the first statement that needs it."""
    driver = connection.connection.driver_connection
    if driver is not None and not driver.in_transaction and not _READS.match(statement):
        take_write_lock(cursor)
