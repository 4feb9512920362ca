"""The adapters that every contract is held to."""

import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import cast

import pytest

from mediahost.cached import CachedFolders, HashedFile, Hit
from mediahost.hashing import CacheKey
from mediahost.ports import Store
from mediahost.store import MemoryStore, SqlStore, open_store
from mediahost.store.glance import Glance, GlancedStore

Request = pytest.FixtureRequest


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh store's file: copying it is quicker than migrating anew."""
    path = tmp_path_factory.mktemp("store") / "fresh.db"
    open_store(path).close()
    return path


def _sqlite(request: Request) -> Store:
    path = request.getfixturevalue("tmp_path") / "store.db"
    return open_store(shutil.copy(request.getfixturevalue("migrated"), path))


class AlwaysGlanced(GlancedStore):
    """Answered by the glance even where the store is open."""

    def recall_hashes(self, folders: Collection[str]) -> dict[str, dict[str, HashedFile]]:
        """As the glance sees it."""
        return self._glance.recall_hashes(folders)

    def recall_folders(self, folders: Collection[str], recipe_hash: str) -> CachedFolders:
        """As the glance sees it."""
        return self._glance.recall_folders(folders, recipe_hash)

    def find_hits(self, keys: Collection[CacheKey]) -> dict[CacheKey, Hit]:
        """As the glance sees it."""
        return self._glance.find_hits(keys)


def _glanced(request: Request) -> Store:
    path = request.getfixturevalue("tmp_path") / "store.db"
    shutil.copy(request.getfixturevalue("migrated"), path)
    glance = Glance.at(str(path), None)
    assert glance
    return cast("Store", AlwaysGlanced(glance, lambda: open_store(path)))


STORES: dict[str, Callable[[Request], Store]] = {
    "glanced": _glanced,
    "memory": lambda _request: MemoryStore(),
    "postgres": lambda request: open_store(request.getfixturevalue("postgres_url")),
    "sqlite": _sqlite,
}


@pytest.fixture(params=sorted(STORES))
def store(request: Request) -> Iterator[Store]:
    """An empty store of each kind."""
    opened = STORES[request.param](request)
    yield opened
    opened.close()


@pytest.fixture(params=sorted(STORES.keys() - {"glanced", "memory"}))
def sql_store(request: Request) -> Iterator[SqlStore]:
    """An empty store in each database."""
    opened = STORES[request.param](request)
    assert isinstance(opened, SqlStore)
    yield opened
    opened.close()
