"""From a place to a database: the only module that names both kinds."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from mediahost.store.engine import Database
from mediahost.store.location import Location, locate
from mediahost.store.sqlite import SqliteDatabase, error_of


def database_at(location: Location) -> Database:
    """The database there. A missing SQLite file is made, empty; a server is not asked yet.

    Raises:
        StoreError: The file is no database or can't be made; or psycopg is missing.
    """
    if location.path:
        return SqliteDatabase(location.path)
    # Dear to import, and an extra.
    from mediahost.store.postgres import PostgresDatabase  # noqa: PLC0415

    return PostgresDatabase(location)


@contextmanager
def explained_at(url_or_path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what a database says there into one sentence and a hint, whatever engine it is asked by.

    Raises:
        StoreError: What was done inside failed because the database can't be used.
    """
    location = locate(url_or_path)
    try:
        yield
    except DBAPIError as error:
        if location.path:
            told = error_of(location.path, error.orig)
        else:
            from mediahost.store import postgres  # noqa: PLC0415 - dear to import, and an extra

            told = postgres.error_of(location, error.orig)
        if told is None:
            raise
        raise told from error
