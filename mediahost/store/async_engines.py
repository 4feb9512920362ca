"""Engines to await: the same databases, by aiosqlite and psycopg."""

import os
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from mediahost.errors import StoreError
from mediahost.installation import extra_hint
from mediahost.store.location import Location, locate
from mediahost.store.sessions import begin_to_write
from mediahost.store.spelling import json_text, json_value
from mediahost.store.sqlite import PRAGMAS
from mediahost.store.sqlite_file import BUSY_TIMEOUT_S


def make_async_engine(url_or_path: str | os.PathLike[str]) -> AsyncEngine:
    """An engine for the event loop that is running. Nothing connects before its first use.

    Raises:
        StoreError: There is no such database, or a package that it needs is not installed.
    """
    location = locate(url_or_path)
    if location.path and not location.path.exists():
        # SQLite would make an empty file, for everybody to read.
        raise StoreError(f"There is no store {location}", "Make it with: await init_db()")
    try:
        return _on_sqlite(location.path) if location.path else _on_postgres(location)
    except ImportError as error:
        raise StoreError(
            f"The async door needs {error.name}, which is not installed",
            f"Install it with: {extra_hint('mediahost', 'async')}",
        ) from None


def _on_postgres(location: Location) -> AsyncEngine:
    # An extra of its own, which says so by itself where it is missing.
    from mediahost.store.postgres import engine_options  # noqa: PLC0415

    return create_async_engine(location.url, **engine_options())


def _on_sqlite(path: os.PathLike[str]) -> AsyncEngine:
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=os.fspath(path)),
        connect_args={"timeout": BUSY_TIMEOUT_S},
        json_serializer=json_text,
        json_deserializer=json_value,
        hide_parameters=True,
        # A connection is a thread: none is left behind in a loop that ends.
        poolclass=NullPool,
    )
    event.listen(engine.sync_engine, "connect", _set_up)
    event.listen(engine.sync_engine, "before_cursor_execute", begin_to_write)
    return engine


def _set_up(connection: Any, _record: Any) -> None:
    # Off: sqlite3 would send BEGIN by itself, later than we do and never IMMEDIATE.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
