"""The adapters that every contract is held to."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mediahost.ports import Store
from mediahost.store import MemoryStore, SqlStore, open_store


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh store's file: copying it is quicker than migrating anew."""
    path = tmp_path_factory.mktemp("store") / "fresh.db"
    open_store(path).close()
    return path


STORES: dict[str, Callable[[Path, Path], Store]] = {
    "memory": lambda _fresh, _path: MemoryStore(),
    "sqlite": lambda fresh, path: open_store(shutil.copy(fresh, path)),
}


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, migrated: Path, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    opened = STORES[request.param](migrated, tmp_path / "store.db")
    yield opened
    opened.close()


@pytest.fixture(params=sorted(STORES.keys() - {"memory"}))
def sql_store(request: pytest.FixtureRequest, migrated: Path, tmp_path: Path) -> Iterator[SqlStore]:
    """An empty store in each database."""
    opened = STORES[request.param](migrated, tmp_path / "store.db")
    assert isinstance(opened, SqlStore)
    yield opened
    opened.close()
