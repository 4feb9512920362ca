"""The async door: sessions to await, for programs with an event loop such as FastAPI's.

Nothing connects at import. The database is the one that `init_db` was given, or else the
environment's `DATABASE_URL`. Each event loop gets an engine of its own when it first asks for a
session, for connections can't be handed from one loop to another. It lets go of them when it ends.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from types import TracebackType
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from mediahost.errors import MediahostError, StoreError
from mediahost.store.about import upgrade_at
from mediahost.store.async_engines import make_async_engine
from mediahost.store.databases import explained_at
from mediahost.store.location import locate
from mediahost.store.sqlite_file import create_private
from mediahost.store.store import open_store

AnyPath = str | os.PathLike[str]


class _Kept(NamedTuple):
    """An engine, to which place, and what disposes of it when it is closed."""

    place: AnyPath
    engine: AsyncEngine
    keeper: AsyncGenerator[None]


_kept: WeakKeyDictionary[asyncio.AbstractEventLoop, _Kept] = WeakKeyDictionary()
_given: list[AnyPath] = []


class _SessionOfLoop(AsyncSession):
    """A session on the engine of the event loop that it is made in."""

    def __init__(self, bind: AsyncEngine | None = None, **options: Any) -> None:
        super().__init__(bind or _engine(), **options)


async_session_factory = async_sessionmaker(
    class_=_SessionOfLoop, expire_on_commit=False, autoflush=False
)


class _EngineOfLoop:
    """The engine of the event loop that asks, as if there were one for all."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_engine(), name)


# Nothing connects before its first use, and nothing needs to be set when it is imported.
engine: AsyncEngine = cast("AsyncEngine", _EngineOfLoop())


class SessionScope(AbstractAsyncContextManager[AsyncSession]):
    """A generator of one session, which can be entered as well.

    A program enters it: `async with get_session() as session`. FastAPI steps through it:
    `Depends(get_session)`.
    """

    def __init__(self, generator: AsyncGenerator[AsyncSession]) -> None:
        self._generator = generator
        self._entered = asynccontextmanager(lambda: generator)()

    async def __aenter__(self) -> AsyncSession:
        return await self._entered.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._entered.__aexit__(kind, error, traceback)

    def __aiter__(self) -> AsyncGenerator[AsyncSession]:
        return self._generator

    async def __anext__(self) -> AsyncSession:
        return await anext(self._generator)

    async def athrow(self, *error: Any) -> AsyncSession:
        """Have the session rolled back and closed; the error comes out again."""
        # Python 3.11 gives class, error and traceback, later ones the error.
        return await self._generator.athrow(next(e for e in error if not isinstance(e, type)))

    async def aclose(self) -> None:
        """Have the session closed."""
        await self._generator.aclose()


async def _session() -> AsyncGenerator[AsyncSession]:
    place = _place()
    with explained_at(place):
        async with async_session_factory() as session:
            try:
                yield session
            except BaseException:
                await session.rollback()
                raise
            await session.commit()


def get_session() -> SessionScope:
    """A session that commits at the end, or rolls back what an exception comes out of.

    It is always closed. Enter it with `async with`, or give it to FastAPI's `Depends`.

    Raises:
        StoreError: Neither `init_db` nor `DATABASE_URL` says where the database is, or it can't
            be used.
    """
    return SessionScope(_session())


# How FastAPI knows that it is one to step through.
vars(get_session)["__wrapped__"] = _session


async def init_db(url_or_path: AnyPath | None = None) -> None:
    """Make the database, or bring it up to date, and use it from now on.

    Args:
        url_or_path: A database URL, or the path of an SQLite file; None: `DATABASE_URL`.

    Raises:
        StoreError: It can't be used.
    """
    await asyncio.to_thread(_prepare, url_or_path or _place())
    if url_or_path and _given != [url_or_path]:
        await close_db()
        _given[:] = [url_or_path]


async def close_db() -> None:
    """Let go of this event loop's connections. A new session makes new ones."""
    kept = _kept.pop(asyncio.get_running_loop(), None)
    if kept is not None:
        await kept.keeper.aclose()


async def test_connection() -> bool:
    """Whether the database answers. A missing SQLite file is made, empty."""
    try:
        await asyncio.to_thread(_make_file, _place())
        async with _engine().connect() as connection:
            return bool(await connection.scalar(text("SELECT 1")))
    except (SQLAlchemyError, MediahostError, OSError):
        return False


# It is no test, whatever pytest thinks of its name.
vars(test_connection)["__test__"] = False


def _make_file(place: AnyPath) -> None:
    path = locate(place).path
    if path is None or path.exists():
        return
    with suppress(FileExistsError):  # another one has made it at this moment
        create_private(path)


def _prepare(place: AnyPath) -> None:
    upgrade_at(place)
    open_store(place).close()


def _engine() -> AsyncEngine:
    loop, place = asyncio.get_running_loop(), _place()
    kept = _kept.get(loop)
    if kept is None or kept.place != place:
        engine = make_async_engine(place)
        keeper = _keep(engine)
        # A loop closes at its end whatever generators have begun in it. Up to where it waits, this
        # one awaits nothing.
        with suppress(StopIteration):
            keeper.__anext__().send(None)
        kept = _kept[loop] = _Kept(place, engine, keeper)
    return kept.engine


async def _keep(engine: AsyncEngine) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await engine.dispose()


def _place() -> AnyPath:
    place = _given[0] if _given else os.environ.get("DATABASE_URL")
    if not place:
        raise StoreError(
            "Nothing says where the database is",
            "Set DATABASE_URL, or give init_db a URL or a path.",
        )
    return place
