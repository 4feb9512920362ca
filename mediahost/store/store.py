"""The store: jobs, cached results and remembered hashes in one database."""

import os
from collections.abc import Collection

from sqlalchemy import Connection, exists, select

from mediahost.errors import StoreError
from mediahost.hashing import ALGORITHMS, DEFAULT_ALGORITHM, Algorithm
from mediahost.ports import Proof, Wakeup
from mediahost.store.attempts import Attempts
from mediahost.store.browse import Browser
from mediahost.store.caches import CachedResults
from mediahost.store.changes import JobChanges
from mediahost.store.claims import Claims
from mediahost.store.databases import database_at
from mediahost.store.dialect import insert_absent
from mediahost.store.engine import Database
from mediahost.store.files import FileHashes
from mediahost.store.folders import Folders
from mediahost.store.hosts import Hosts
from mediahost.store.jobs import Jobs
from mediahost.store.live_hosts import IsGone, nobody_is_gone
from mediahost.store.location import locate
from mediahost.store.makings import Makings
from mediahost.store.searching import Searching
from mediahost.store.tables import analysis_jobs, file_hashes, jobs, meta
from mediahost.store.upgrade import prepare
from mediahost.store.wakeups import SqliteWakeup
from mediahost.store.watches import Watches


class SqlStore(
    FileHashes,
    Folders,
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
        location = self._database.location
        if location.path:
            return SqliteWakeup(location.path)
        # An extra, and dear to import.
        from mediahost.store.listening import PostgresWakeup  # noqa: PLC0415

        return PostgresWakeup(location)

    def proof(self, host: str) -> Proof | None:
        """Hold a lock in the database that ends with this process; None on SQLite."""
        location = self._database.location
        if location.path:
            return None
        # An extra, and dear to import.
        from mediahost.store.advisory import AdvisoryLock  # noqa: PLC0415

        return AdvisoryLock(location, host)

    def proven(self, names: Collection[str]) -> set[str]:
        """Those of these hosts that hold a lock in the database."""
        if self._database.location.path or not names:
            return set()
        from mediahost.store.advisory import holders  # noqa: PLC0415 - as above

        return holders(self._database, names)

    def close(self) -> None:
        """Let go of files and connections. The store can't be used afterwards."""
        self._database.close()


def open_store(
    url_or_path: str | os.PathLike[str],
    algorithm: Algorithm | None = None,
    *,
    browse: bool = False,
    is_gone: IsGone = nobody_is_gone,
) -> SqlStore:
    """Open a store. A missing file is made, an older one upgraded; a server's database is neither.

    Args:
        url_or_path: A path, or a URL: see `mediahost.store.location.locate`.
        algorithm: What a new store hashes with, blake3 if None. A store keeps what it was made
            with: hashes of two algorithms never match, so everything would be computed again.
        browse: Only to look: of a newer mediahost's store, everything that is still as it was.
        is_gone: Whether the host of that name surely doesn't run any more: an older file is not
            upgraded while hosts use it.

    Raises:
        StoreError: It can't be opened, is no store, was made by a newer mediahost, needs an
            upgrade, or was made with another algorithm than the one given.
    """
    database = database_at(locate(url_or_path))
    try:
        prepare(database, browse=browse, is_gone=is_gone)
        pinned = _pinned_algorithm(database, algorithm)
    except BaseException:
        database.close()
        raise
    return SqlStore(database, pinned)


def _pinned_algorithm(database: Database, wanted: Algorithm | None) -> Algorithm:
    """What the store was made with; `wanted` is what a new one gets."""
    pinned = _read_or_pin(database, wanted or DEFAULT_ALGORITHM)
    if wanted not in (None, pinned):
        raise StoreError(
            f"The store {database} was made with {pinned}, not {wanted}",
            f"Set the algorithm to {pinned}, or choose another store.",
        )
    for algorithm in ALGORITHMS:
        if pinned == algorithm:
            return algorithm
    raise StoreError(
        f"The store {database} was made with {pinned}, which is unknown here",
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
                insert_absent(connection, meta, [{"id": 1, "algorithm": wanted}], key=["id"])
                # On a server another host may have done so at the same moment.
                pinned = str(_read_algorithm(connection))
    return pinned


# What it was made with is the last thing that a store gets when it is copied.
_ANY_JOB_OR_MEMO = select(
    exists(select(jobs.c.id))
    | exists(select(file_hashes.c.name))
    | exists(select(analysis_jobs.c.id))
)


def _unfinished(database: Database) -> StoreError:
    return StoreError(
        f"The store {database} is a copy that is not finished",
        "Call the same mediahost store copy again: it goes on where it was.",
    )


def _read_algorithm(connection: Connection) -> str | None:
    return connection.execute(select(meta.c.algorithm)).scalar()
