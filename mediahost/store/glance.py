"""A look at an SQLite store by the standard library alone, as long as that will do.

A run that finds everything cached asks two things: what the memo says of the files, and which
results there are. SQLAlchemy and SQLModel take half of such a run to load, so the store proper is
opened when anything else is asked for.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from mediahost.cached import CachedFile, CachedFolder, CachedFolders, HashedFile, Hit
from mediahost.hashing import ALGORITHMS, Algorithm, CacheKey, FileStat
from mediahost.store.hits import (
    KEPT_FOLDERS_S,
    SQLITE_CACHED_FILES,
    SQLITE_HITS,
    Wanted,
    cached_files,
    newest_hits,
)
from mediahost.store.sqlite_file import BUSY_TIMEOUT_S, MAPPED_BYTES, connect

if TYPE_CHECKING:
    from mediahost.ports import Store

_PREFIX = "sqlite:///"

_ABOUT = "SELECT version_num, algorithm FROM alembic_version, meta"
_MEMO = (
    "SELECT folder, name, size, mtime_ns, ctime_ns, dev, inode, hashed_at_ns, file_hash"
    " FROM file_hashes WHERE folder IN (SELECT value FROM json_each(?))"
)
_LOST = (
    "SELECT results_lost, EXISTS (SELECT 1 FROM analysis_jobs WHERE result_hash IS NULL) FROM meta"
)
_FOLDERS = (
    "SELECT folder, listing_hash, files, results, saved_ms FROM cached_folders"
    " WHERE folder IN (SELECT value FROM json_each(?)) AND recipe_hash = ? AND results_lost = ?"
)
_FORGET_FOLDERS = (
    "DELETE FROM cached_folders WHERE folder IN (SELECT value FROM json_each(?))"
    " AND (results_lost <> ? OR created_at < ?)"
)
_REMEMBER_FOLDER = (
    "INSERT OR REPLACE INTO cached_folders"
    " (folder, recipe_hash, listing_hash, files, results, saved_ms, results_lost)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)


def glance_first(
    url_or_path: str, algorithm: Algorithm | None, open_store: "Callable[[], Store]"
) -> "Store":
    """A store that is opened when a glance at it no longer does.

    Where there is nothing to glance at, because it is on a server, not there, of another version
    or not to be read, it is opened at once.

    Args:
        url_or_path: Where it is.
        algorithm: What it ought to hash with; None: whatever it was made with.
        open_store: Opens it.

    Raises:
        StoreError: It can't be opened.
    """
    glance = Glance.at(url_or_path, algorithm)
    return cast("Store", GlancedStore(glance, open_store)) if glance else open_store()


class Glance:
    """What a cached run asks of a store."""

    def __init__(self, connection: sqlite3.Connection, algorithm: Algorithm) -> None:
        self._connection = connection
        self.algorithm = algorithm

    @classmethod
    def at(cls, url_or_path: str, algorithm: Algorithm | None) -> "Glance | None":
        """A glance at a store of just this program's version; None: it takes more than that."""
        path = Path(url_or_path.removeprefix(_PREFIX))
        if "://" in str(path) or not path.is_file():
            return None
        connection = None
        try:
            # Not read-only: the log of a store that nobody has open could not be read so.
            connection = connect(path, "rw")
            connection.execute("PRAGMA query_only = ON")
            # What a glance writes saves time, no more: a power cut may undo it.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
            ((version, pinned),) = connection.execute(_ABOUT)
        except (sqlite3.Error, ValueError):  # whatever it is, opening the store will say it
            version = pinned = None
        if connection and version == _newest_version() and algorithm in (None, pinned):
            for known in ALGORITHMS:
                if pinned == known:
                    return cls(connection, known)
        if connection:
            connection.close()
        return None

    def recall_hashes(self, folders: Collection[str]) -> dict[str, dict[str, HashedFile]]:
        """What is remembered of the files right in each of these folders."""
        found: dict[str, dict[str, HashedFile]] = {}
        for folder, name, *stat, hashed_at, file_hash in self._rows(_MEMO, _listed(set(folders))):
            memo = HashedFile(FileStat(*stat), hashed_at, file_hash)
            found.setdefault(folder, {})[name] = memo
        return found

    def recall_cached(
        self, folders: Collection[str], config_hash: str
    ) -> dict[str, dict[str, CachedFile]]:
        """Of the files right in these folders those whose content has an analyzer's result."""
        return cached_files(self._rows(SQLITE_CACHED_FILES, _listed(folders), config_hash))

    def recall_folders(self, folders: Collection[str], recipe_hash: str) -> CachedFolders:
        """Those of these folders that had all results of a recipe, none of which was lost since."""
        ((as_of, foreign),) = self._rows(_LOST)
        if foreign:
            return CachedFolders(as_of, {})
        rows = self._rows(_FOLDERS, _listed(folders), recipe_hash, as_of)
        return CachedFolders(as_of, {row[0]: CachedFolder(*row[1:]) for row in rows})

    def remember_folders(
        self, recipe_hash: str, as_of: int, folders: Mapping[str, CachedFolder]
    ) -> None:
        """Remember that these folders have all results of a recipe, unless others are writing."""
        rows = [(folder, recipe_hash, *cached, as_of) for folder, cached in folders.items()]
        execute = self._connection.execute
        execute("PRAGMA query_only = OFF")
        execute("PRAGMA busy_timeout = 0")
        try:
            execute("BEGIN IMMEDIATE")
            execute(_FORGET_FOLDERS, (_listed(folders), as_of, time.time() - KEPT_FOLDERS_S))
            self._connection.executemany(_REMEMBER_FOLDER, rows)
            execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000:.0f}")
            execute("PRAGMA query_only = ON")

    def find_hits(self, keys: Collection[CacheKey]) -> dict[CacheKey, Hit]:
        """The cached results among these keys."""
        wanted = Wanted(keys)
        return newest_hits(
            wanted.told(self._rows(SQLITE_HITS, json.dumps(wanted.groups))), json.loads
        )

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _rows(self, statement: str, *wanted: str | int) -> Iterable[Any]:
        with closing(self._connection.execute(statement, wanted)) as rows:
            yield from rows


class GlancedStore:
    """A store behind a glance: everything that the glance can't answer opens it."""

    def __init__(self, glance: Glance, open_store: "Callable[[], Store]") -> None:
        self._glance = glance
        self._open_store = open_store
        self._lock = Lock()
        self._store: Store | None = None
        self.algorithm = glance.algorithm

    def recall_hashes(self, folders: Collection[str]) -> dict[str, dict[str, HashedFile]]:
        """What is remembered of the files right in each of these folders."""
        with suppress(sqlite3.Error):
            if self._store is None:
                return self._glance.recall_hashes(folders)
        return self._opened().recall_hashes(folders)

    def recall_cached(
        self, folders: Collection[str], config_hash: str
    ) -> dict[str, dict[str, CachedFile]]:
        """Of the files right in these folders those whose content has an analyzer's result."""
        with suppress(sqlite3.Error):
            if self._store is None:
                return self._glance.recall_cached(folders, config_hash)
        return self._opened().recall_cached(folders, config_hash)

    def recall_folders(self, folders: Collection[str], recipe_hash: str) -> CachedFolders:
        """Those of these folders that had all results of a recipe, none of which was lost since."""
        with suppress(sqlite3.Error):
            if self._store is None:
                return self._glance.recall_folders(folders, recipe_hash)
        return self._opened().recall_folders(folders, recipe_hash)

    def remember_folders(
        self, recipe_hash: str, as_of: int, folders: Mapping[str, CachedFolder]
    ) -> None:
        """Remember that these folders have all results of a recipe; not worth opening the store."""
        if folders:
            with suppress(sqlite3.Error):
                self._glance.remember_folders(recipe_hash, as_of, folders)

    def find_hits(self, keys: Collection[CacheKey]) -> dict[CacheKey, Hit]:
        """The cached results among these keys."""
        with suppress(sqlite3.Error):
            if self._store is None:
                return self._glance.find_hits(keys)
        return self._opened().find_hits(keys)

    def close(self) -> None:
        """Close what was opened."""
        self._glance.close()
        if self._store:
            self._store.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened(), name)

    def _opened(self) -> "Store":
        with self._lock:
            self._store = self._store or self._open_store()
            return self._store


def _listed(values: Iterable[Any]) -> str:
    return json.dumps(list(values))


def _newest_version() -> str:
    """As `mediahost.store.schema` has it, which takes SQLAlchemy to load."""
    versions = Path(__file__).parent / "migrations" / "versions"
    return max(path.name.partition("_")[0] for path in versions.glob("[0-9]*_*.py"))
