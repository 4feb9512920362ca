"""The connection to one database: pragmas, transactions, and errors that speak to the user."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError

from mediahost.errors import StoreError
from mediahost.model.media import display

# How long a writer waits for another process's transaction; batches take milliseconds, so this
# much means that somebody is stuck.
BUSY_TIMEOUT_S = 10.0

# What each connection is set to. FULL: what was acknowledged survives a power cut (14 % dearer
# than NORMAL in batches). A mapped file makes lookups among a million rows a quarter faster.
PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",
    f"PRAGMA mmap_size = {256 << 20}",
)

# By the first words of sqlite3's names for its errors: a sentence's end, and what to do.
_REASONS = {
    "SQLITE_FULL": ("the disk is full", "Free some space and try again."),
    "SQLITE_READONLY": ("it can't be written", "Check the permissions of the file and folder."),
    "SQLITE_PERM": ("it can't be written", "Check the permissions of the file and folder."),
    "SQLITE_CANTOPEN": ("it can't be opened", "Check the path and its permissions."),
    "SQLITE_BUSY": ("another program holds it", "Wait for it, or end it, and try again."),
    "SQLITE_LOCKED": ("another program holds it", "Wait for it, or end it, and try again."),
    "SQLITE_NOTADB": ("it is no database", "Choose another path."),
    "SQLITE_CORRUPT": ("it is damaged", "Restore it from a backup."),
    "SQLITE_IOERR": ("the disk failed", "Check the disk and the file system."),
}


class Database:
    """One SQLite file, for all threads of one process.

    Writers queue on a lock of the process before they ask SQLite for its own, so threads never
    collide; other processes are waited for.

    Args:
        path: The file. A missing one is created, readable by its owner alone, as is its folder.

    Raises:
        StoreError: The file or its folder can't be created.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._process = os.getpid()
        self._closed = False
        self._writer = threading.Lock()
        _create_private(path)
        self.engine = _engine(path)
        self._writing = self.engine.execution_options(begin="BEGIN IMMEDIATE")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One reading transaction: all that is read in it is of one moment.

        Raises:
            StoreError: The database can't be read.
        """
        self._check_usable()
        with explained(self.path), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction, committed at the end or rolled back by an exception.

        Raises:
            StoreError: The database can't be written.
        """
        self._check_usable()
        with self._writer, explained(self.path), self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of the file. Twice is as good as once."""
        self._closed = True
        self.engine.dispose()

    def _check_usable(self) -> None:
        if self._closed:
            raise StoreError(f"The store {display(self.path)} is closed")
        # SQLite's locks don't survive a fork; using them anyway corrupts the file.
        if self._process != os.getpid():
            raise StoreError(
                f"The store {display(self.path)} was opened by another process",
                "Open it again after a fork.",
            )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the database says into one sentence and a hint.

    Raises:
        StoreError: The database can't be used.
    """
    try:
        yield
    except DBAPIError as error:
        if type(error) is not OperationalError and not _unusable(error.orig):
            raise
        raise store_error(path, error.orig) from error
    except sqlite3.Error as error:
        raise store_error(path, error) from error


def store_error(path: Path, cause: BaseException | None) -> StoreError:
    """The error to raise for what sqlite3 raised about the file at `path`."""
    name = getattr(cause, "sqlite_errorname", "")
    reason, hint = next(
        (_REASONS[prefix] for prefix in _REASONS if name.startswith(prefix)),
        (str(cause), None),
    )
    return StoreError(f"The store {display(path)} can't be used: {reason}", hint)


def _unusable(cause: BaseException | None) -> bool:
    # A damaged file is a plain DatabaseError; its subclasses are mistakes of ours.
    return type(cause) is sqlite3.DatabaseError


def _create_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its side files the mode of the database.
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(
            f"The store {display(path)} can't be opened: {error.strerror}",
            "Check the path and its permissions.",
        ) from error


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=os.fspath(path)),
        connect_args={"timeout": BUSY_TIMEOUT_S},
        json_serializer=_json_text,
        # Never more connections than threads, so no thread waits for one.
        max_overflow=-1,
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _json_text(value: Any) -> str:
    """JSON, by pydantic: a result takes 2.8 µs, with the standard library 7.3."""
    try:
        return to_json(value).decode()
    except PydanticSerializationError:
        # A lone surrogate in a text: not UTF-8, but JSON can spell it.
        return json.dumps(value)


def _set_up(connection: sqlite3.Connection, _record: Any) -> None:
    # Off: sqlite3 would send BEGIN by itself, later than we do and never IMMEDIATE.
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
