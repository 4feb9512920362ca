"""The store: jobs, cached results and remembered hashes in one database."""

import os
from pathlib import Path

from sqlalchemy import Connection, exists, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from mediahost.errors import StoreError
from mediahost.hashing import ALGORITHMS, DEFAULT_ALGORITHM, Algorithm
from mediahost.model.media import display
from mediahost.ports import Wakeup
from mediahost.store.attempts import Attempts
from mediahost.store.browse import Browser
from mediahost.store.caches import CachedResults
from mediahost.store.changes import JobChanges
from mediahost.store.claims import Claims
from mediahost.store.engine import Database
from mediahost.store.files import FileHashes
from mediahost.store.hosts import Hosts
from mediahost.store.jobs import Jobs
from mediahost.store.makings import Makings
from mediahost.store.schema import check_is_database, prepare
from mediahost.store.searching import Searching
from mediahost.store.tables import analysis_jobs, file_hashes, jobs, meta
from mediahost.store.wakeups import SqliteWakeup
from mediahost.store.watches import Watches


class SqlStore(
    FileHashes,
    CachedResults,
    Jobs,
    JobChanges,
    Claims,
    Attempts,
    Hosts,
    Searching,
    Makings,
    Watches,
):
    """What remembers, in a SQL database. See `mediahost.ports.Store` for what it promises.

    Args:
        database: With a schema at its newest version.
        algorithm: The hash algorithm that the database was made with.
    """

    def __init__(self, database: Database, algorithm: Algorithm) -> None:
        super().__init__(database)
        self._algorithm = algorithm

    @property
    def algorithm(self) -> Algorithm:
        """The hash algorithm that this store was made with."""
        return self._algorithm

    def browse(self) -> Browser:
        """A reader for somebody who looks at jobs, of which there may be any number."""
        return Browser(self._database)

    @property
    def database(self) -> Database:
        """What it is kept in, for what works on the same tables."""
        return self._database

    def wakeup(self) -> Wakeup:
        """Waits for others to write to this store."""
        return SqliteWakeup(self._database.path)

    def close(self) -> None:
        """Let go of files and connections. The store can't be used afterwards."""
        self._database.close()


def open_store(url_or_path: str | os.PathLike[str], algorithm: Algorithm | None = None) -> SqlStore:
    """Open a store, making it or bringing it up to date where needed.

    Args:
        url_or_path: A path, or a URL such as `sqlite:///store.db`.
        algorithm: What a new store hashes with, blake3 if None. A store keeps what it was made
            with: hashes of two algorithms never match, so everything would be computed again.

    Raises:
        StoreError: It can't be opened, is no store, was made by a newer mediahost, or was made
            with another algorithm than the one given.
    """
    path = path_of(url_or_path)
    check_is_database(path)
    database = Database(path)
    try:
        prepare(database)
        pinned = _pinned_algorithm(database, algorithm)
    except BaseException:
        database.close()
        raise
    return SqlStore(database, pinned)


def path_of(url_or_path: str | os.PathLike[str]) -> Path:
    """The file that a path or URL names.

    Raises:
        StoreError: It names none.
    """
    text = os.fspath(url_or_path)
    if "://" not in text:
        return Path(text).absolute()
    try:
        url = make_url(text)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        # Without the URL itself: it may hold a password.
        raise StoreError(
            "The store's URL names no SQLite file", "Give a path, or sqlite:///path/to/file."
        )
    return Path(str(url.database)).absolute()


def _pinned_algorithm(database: Database, wanted: Algorithm | None) -> Algorithm:
    """What the store was made with; `wanted` is what a new one gets."""
    pinned = _read_or_pin(database, wanted or DEFAULT_ALGORITHM)
    if wanted not in (None, pinned):
        raise StoreError(
            f"The store {display(database.path)} was made with {pinned}, not {wanted}",
            f"Set the algorithm to {pinned}, or choose another store.",
        )
    for algorithm in ALGORITHMS:
        if pinned == algorithm:
            return algorithm
    raise StoreError(
        f"The store {display(database.path)} was made with {pinned}, which is unknown here",
        "It was made by a newer mediahost: upgrade this one.",
    )


def _read_or_pin(database: Database, wanted: Algorithm) -> str:
    with database.read() as connection:
        pinned = _read_algorithm(connection)
    if pinned is None:
        with database.write() as connection:
            pinned = _read_algorithm(connection)
            if pinned is None:
                if connection.execute(_ANY_JOB_OR_MEMO).scalar():
                    raise _unfinished(database)
                connection.execute(insert(meta).values(id=1, algorithm=wanted))
                pinned = wanted
    return pinned


# What it was made with is the last thing that a store gets when it is copied.
_ANY_JOB_OR_MEMO = select(
    exists(select(jobs.c.id))
    | exists(select(file_hashes.c.name))
    | exists(select(analysis_jobs.c.id))
)


def _unfinished(database: Database) -> StoreError:
    return StoreError(
        f"The store {display(database.path)} is a copy that is not finished",
        "Call the same mediahost store copy again: it goes on where it was.",
    )


def _read_algorithm(connection: Connection) -> str | None:
    return connection.execute(select(meta.c.algorithm)).scalar()
