"""A look at an SQLite store by the standard library alone, as long as that will do.

A run that finds everything cached asks two things: what the memo says of the files, and which
results there are. SQLAlchemy and SQLModel take half of such a run to load, so the store proper is
opened when anything else is asked for.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock
from typing import Any, cast

from mediahost.hashing import ALGORITHMS, Algorithm, CacheKey, FileStat
from mediahost.ports import CachedFile, HashedFile, Hit, Store
from mediahost.store.hits import (
    SQLITE_ANALYSES,
    SQLITE_CACHED_FILES,
    SQLITE_PROCESSINGS,
    Told,
    Wanted,
    cached_files,
    newest_hits,
)
from mediahost.store.sqlite_file import MAPPED_BYTES, connect

_PREFIX = "sqlite:///"

_ABOUT = "SELECT version_num, algorithm FROM alembic_version, meta"
_MEMO = (
    "SELECT folder, name, size, mtime_ns, ctime_ns, dev, inode, hashed_at_ns, file_hash"
    " FROM file_hashes WHERE folder IN (SELECT value FROM json_each(?))"
)


def glance_first(
    url_or_path: str, algorithm: Algorithm | None, open_store: Callable[[], Store]
) -> Store:
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

    def find_hits(self, keys: Collection[CacheKey]) -> dict[CacheKey, Hit]:
        """The cached results among these keys."""
        return newest_hits(self._told(keys))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _told(self, keys: Collection[CacheKey]) -> Iterator[tuple[CacheKey, Told]]:
        wanted = Wanted(keys)
        groups = json.dumps(wanted.groups)
        yield from wanted.told(self._rows(SQLITE_ANALYSES, groups))
        for key, (*told, made) in wanted.told(self._rows(SQLITE_PROCESSINGS, groups)):
            yield key, (*told, json.loads(made))

    def _rows(self, statement: str, *wanted: str) -> Iterable[Any]:
        with closing(self._connection.execute(statement, wanted)) as rows:
            yield from rows


class GlancedStore:
    """A store behind a glance: everything that the glance can't answer opens it."""

    def __init__(self, glance: Glance, open_store: Callable[[], Store]) -> None:
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

    def _opened(self) -> Store:
        with self._lock:
            self._store = self._store or self._open_store()
            return self._store


def _listed(values: Iterable[Any]) -> str:
    return json.dumps(list(values))


def _newest_version() -> str:
    """As `mediahost.store.schema` has it, which takes SQLAlchemy to load."""
    versions = Path(__file__).parent / "migrations" / "versions"
    return max(path.name.partition("_")[0] for path in versions.glob("[0-9]*_*.py"))
