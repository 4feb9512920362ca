"""From a place to a database: the only module that names both kinds."""

from mediahost.store.engine import Database
from mediahost.store.location import Location
from mediahost.store.sqlite import SqliteDatabase


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
