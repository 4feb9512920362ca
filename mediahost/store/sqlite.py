"""SQLite: one file, one writer at a time, readers that don't wait for it."""

import errno
import logging
import os
import random
import sqlite3
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event

from mediahost.errors import StoreError
from mediahost.model.paths import display
from mediahost.store.engine import Database, Fetched
from mediahost.store.location import locate
from mediahost.store.place import Place
from mediahost.store.spelling import json_text, json_value
from mediahost.store.sqlite_file import BUSY_TIMEOUT_S, MAPPED_BYTES, connect, create_private

T = TypeVar("T")

log = logging.getLogger(__name__)

# SQLite lets nobody queue: among many processes one may find the lock taken each time it looks. It
# tries again for so long.
PATIENCE_S = 60.0
PAUSE_S = 0.01
LOOK_LEAST_S = 0.001
# A person who waits for so long wants to know for what.
SAY_AFTER_S = 1.0

MAPPED = f"PRAGMA mmap_size = {MAPPED_BYTES}"
# What each connection is set to. FULL: what was acknowledged survives a power cut (14 % dearer
# than NORMAL in batches). A log of 32 MB is copied back where SQLite's own 4 MB would be eight
# times: batches change the same pages.
PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",
    MAPPED,
    "PRAGMA wal_autocheckpoint = 8000",
)
# Of the one connection that writes: the pages that batches change stay in memory, and so does
# what a statement would need to undo itself.
WRITER_PRAGMAS = (
    "PRAGMA busy_timeout = 0",  # see _begin_in_turn
    f"PRAGMA cache_size = -{16 << 10}",
    "PRAGMA temp_store = MEMORY",
)
# 2 µs of each writing transaction.
_SCHEMA = "SELECT version_num FROM alembic_version"

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


class Busy(StoreError):
    """Other processes hold the database."""


class SqliteDatabase(Database):
    """One SQLite file.

    Writers queue on a lock of the process before they ask SQLite for its own, so threads never
    collide; other processes are waited for.

    Args:
        path: The file. A missing one is created, readable by its owner alone, as is its folder.

    Raises:
        StoreError: It is no database, or the file or its folder can't be created.
    """

    version_sql = "PRAGMA data_version"

    def __init__(self, path: Path) -> None:
        self.path = path
        check_is_database(path)
        _create_private(path)
        super().__init__(locate(path), _engine(path))
        self._place = Place(path)
        self._writer = threading.Lock()
        self._immediate = self.engine.execution_options(begin="BEGIN IMMEDIATE")
        self._writes_by: Connection | None = None
        self._driver: sqlite3.Connection | None = None
        self._syncs = True
        # Those that no thread uses now; the one used last knows pages and statements best.
        self._readers: deque[sqlite3.Connection] = deque()

    def close(self) -> None:
        """Let go of files and connections. Twice is as good as once."""
        super().close()
        self._drop_readers()
        with self._writer:
            self._drop_writer()

    def error(self, cause: BaseException | None) -> StoreError | None:
        """The error to raise for what sqlite3 raised."""
        return error_of(self.path, cause)

    def fetch(self, sql: str, parameters: Sequence[Any]) -> Fetched:
        """What one statement reads, in the words of the driver: a transaction by itself.

        Past SQLAlchemy, which takes several times as long as one row, its pool alone as long.

        Raises:
            StoreError: The database can't be read.
        """
        self.check_usable()
        with self.explained():
            reader = self._reader()
            try:
                fetched = Fetched.all_of(reader.execute(sql, parameters))
            except BaseException:
                # Rows that nobody has fetched would hold it to what it saw.
                reader.close()
                raise
            self._readers.append(reader)
        if self._closed:  # meanwhile
            self._drop_readers()
        return fetched

    def persevere(self, act: Callable[[], T]) -> T:
        """Do something made of whole transactions; again, if others held the database too long.

        Raises:
            StoreError: They still do.
        """
        ends_at = time.monotonic() + PATIENCE_S
        while True:
            try:
                return act()
            except Busy:
                if time.monotonic() > ends_at:
                    raise
                # Where to wait could be a deadlock, SQLite refuses at once.
                time.sleep(PAUSE_S)

    @contextmanager
    def raw(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own without any transaction, for what can't be done in one.

        Raises:
            StoreError: The database can't be used.
        """
        with (
            explained(self.path),
            closing(
                sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            ) as connection,
        ):
            yield connection

    @contextmanager
    def exclusive(self) -> Iterator[Connection]:
        """A writing transaction for migrations, in which foreign keys are not enforced.

        A table that is made anew is dropped first, and that would delete what refers to it.

        Raises:
            StoreError: The database can't be written.
        """
        with self.explained(), self._immediate.connect() as connection:
            driver: Any = connection.connection.driver_connection
            connection.detach()  # closed at the end: no other transaction gets it
            # By the driver, for SQLAlchemy would begin a transaction, in which this does nothing.
            driver.execute("PRAGMA foreign_keys = OFF")
            with connection.begin():
                yield connection

    def check_usable(self) -> None:
        """Make sure that this may still be used.

        Raises:
            StoreError: It is closed, or not what was opened any more.
        """
        super().check_usable()
        self._place.check()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self, *, synced: bool) -> Iterator[Connection]:
        # Always by the same connection: its pages are still right if no other process wrote
        # meanwhile, where the next one of a pool would read them again.
        with self._writer:
            try:
                connection = self._to_write(synced=synced)
                with connection.begin():
                    self._check_schema()
                    yield connection
                    # What is committed to a file that nobody finds again would be lost.
                    self._place.check()
            except Exception:
                raise
            except BaseException:
                # A signal can break in anywhere. Rows that were not fetched yet are kept by the
                # exception, and hold this connection to what it saw: it can't write any more.
                self._drop_writer()
                raise

    def _check_schema(self) -> None:
        if self.made_for is not None and self._driver is not None:
            row = self._driver.execute(_SCHEMA).fetchone()
            self._see_that_schema_is(row and row[0])

    def _reader(self) -> sqlite3.Connection:
        """One that nobody else uses now."""
        with suppress(IndexError):
            return self._readers.pop()
        reader = connect(self.path, "rw")
        reader.execute(MAPPED)
        return reader

    def _drop_readers(self) -> None:
        with suppress(IndexError):
            while True:
                self._readers.pop().close()

    def _to_write(self, *, synced: bool) -> Connection:
        if self._writes_by is None or self._driver is None:
            self._writes_by = self._immediate.connect()
            driver: Any = self._writes_by.connection.driver_connection
            self._writes_by.detach()  # dropped one day: the pool is not to have it back
            self._driver, self._syncs = driver, True
            # By the driver, for SQLAlchemy would begin a transaction, in which they do nothing.
            for pragma in WRITER_PRAGMAS:
                driver.execute(pragma)
        if synced != self._syncs:
            self._driver.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
            self._syncs = synced
        return self._writes_by

    def _drop_writer(self) -> None:
        """Close it, whatever state SQLAlchemy thinks it is in: what is not committed is undone."""
        driver, self._driver, self._writes_by = self._driver, None, None
        if driver is not None:
            driver.close()


def take_write_lock(cursor: Any) -> None:
    """Begin a transaction that writes; others are waited for as long as `persevere` does.

    Raises:
        sqlite3.OperationalError: They still hold the database.
    """
    ends_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > ends_at:
                raise
        else:
            return


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what sqlite3 says about a file into one sentence and a hint.

    Raises:
        StoreError: The file can't be used.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise error_of(path, error) or error from error


def error_of(path: Path, cause: BaseException | None) -> StoreError | None:
    """The error to raise for what sqlite3 raised; None: that was a mistake of ours."""
    # A damaged file is a plain DatabaseError; most of its subclasses are mistakes of ours.
    if type(cause) not in (sqlite3.OperationalError, sqlite3.DatabaseError):
        return None
    name = getattr(cause, "sqlite_errorname", "")
    reason, hint = next(
        (_REASONS[prefix] for prefix in _REASONS if name.startswith(prefix)),
        (str(cause), "Run: mediahost store check"),
    )
    kind = Busy if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) else StoreError
    return kind(f"The store {display(path)} can't be used: {reason}", hint)


def check_is_database(path: Path) -> None:
    """Refuse a file that SQLite didn't write, before anything touches it. No file is fine.

    It is SQLite that looks. Were the file opened and closed here, all locks that this process has
    on it would be gone (POSIX locks are a process's, not a descriptor's), and the next process to
    leave would delete the log under those that still write to it.

    Raises:
        StoreError: It is something else, or can't be read.
    """
    try:
        status = path.stat()
        mode = status.st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            # To read a pipe is to wait for somebody to write to it.
            raise StoreError(
                f"{display(path)} is no file, so it can't be the store", "Choose another path."
            )
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unopened(path, error) from error
    foreign = StoreError(
        f"{display(path)} is no database, so it can't be the store", "Choose another path."
    )
    if status.st_size == 1:  # SQLite takes that for an empty file, for the sake of a file system
        raise foreign
    try:
        with closing(connect(path, "ro")) as looking:
            looking.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise foreign from error
        # Whatever else it is, those who open it to write will say it.


def _create_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_private(path)  # SQLite gives its side files the mode of the database
    except FileExistsError:
        return
    except OSError as error:
        raise _unopened(path, error) from error


def _unopened(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"The store {display(path)} can't be opened: {error.strerror}",
        "Check the path and its permissions.",
    )


def _engine(path: Path) -> Engine:
    engine = create_engine(
        locate(path).url,
        connect_args={"timeout": BUSY_TIMEOUT_S},
        json_serializer=json_text,
        json_deserializer=json_value,
        # Values are a person's: no error shows them.
        hide_parameters=True,
        # Never more connections than threads, so no thread waits for one.
        max_overflow=-1,
        # The one used last knows pages and statements best: a fifth less CPU for what the TUI asks.
        pool_use_lifo=True,
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: sqlite3.Connection, _record: Any) -> None:
    # Off: sqlite3 would send BEGIN by itself, later than we do and never IMMEDIATE.
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    # By the driver: SQLAlchemy would take ten times as long.
    driver: Any = connection.connection.dbapi_connection
    begin = connection.get_execution_options().get("begin", "BEGIN")
    if begin == "BEGIN":
        driver.execute(begin)
    else:
        _begin_in_turn(driver, begin)


def _begin_in_turn(driver: sqlite3.Connection, begin: str) -> None:
    """Begin a transaction that writes when nobody else does.

    SQLite's own wait looks less and less often, so that among many processes those that came last
    go first. This one looks more often the longer it has waited.

    Raises:
        sqlite3.OperationalError: Others held the database for `PATIENCE_S`.
    """
    began = time.monotonic()
    said = False
    while True:
        try:
            driver.execute(begin)
        except sqlite3.OperationalError as error:
            waited = time.monotonic() - began
            if not _is_busy(error) or waited > PATIENCE_S:
                raise
        else:
            return
        if waited > SAY_AFTER_S and not said:
            said = True
            log.warning("Another program holds the store; waiting for it")
        time.sleep(max(LOOK_LEAST_S, PAUSE_S / (1 + waited)) * random.uniform(0.5, 1))  # noqa: S311 - no secret


def _is_busy(error: sqlite3.Error) -> bool:
    return (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_BUSY
