"""The adapters that every contract is held to."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mediahost.ports import Store
from mediahost.store import MemoryStore, SqlStore, open_store

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


STORES: dict[str, Callable[[Request], Store]] = {
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


@pytest.fixture(params=sorted(STORES.keys() - {"memory"}))
def sql_store(request: Request) -> Iterator[SqlStore]:
    """An empty store in each database."""
    opened = STORES[request.param](request)
    assert isinstance(opened, SqlStore)
    yield opened
    opened.close()
