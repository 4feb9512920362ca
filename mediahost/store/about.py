"""A store from outside: where it is, how old its schema is, how much is in it."""

import os
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, text

from mediahost.errors import StoreError
from mediahost.store.catalog import all_tables
from mediahost.store.databases import database_at
from mediahost.store.engine import Database
from mediahost.store.live_hosts import IsGone, nobody_is_gone
from mediahost.store.location import locate
from mediahost.store.schema import HEAD, version_of
from mediahost.store.tables import meta
from mediahost.store.upgrade import Upgrade, upgrade


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What there is to know about a store.

    Attributes:
        where: Its path, or its URL without the password.
        kind: sqlite or postgresql.
        schema: Version of its schema; None: it has none yet.
        newest_schema: The version that this mediahost knows.
        algorithm: What it hashes files with.
        size_bytes: How large it is, indexes included.
        rows: Number of rows by table.
    """

    where: str
    kind: str
    schema: str | None
    newest_schema: str
    algorithm: str | None
    size_bytes: int
    rows: dict[str, int]


_SIZES = {
    "sqlite": text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"),
    "postgresql": text(
        "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = CAST(current_schema() AS regnamespace)"
    ),
}


def describe(url_or_path: str | os.PathLike[str]) -> StoreInfo:
    """Look at a store, changing nothing.

    Raises:
        StoreError: There is none, or it can't be read.
    """
    location = locate(url_or_path)
    if location.path and not location.path.exists():
        raise StoreError(f"There is no store {location} yet", "The first run makes it.")
    database = database_at(location)
    try:
        with database.read() as connection:
            return _described(connection, database)
    finally:
        database.close()


def _described(connection: Connection, database: Database) -> StoreInfo:
    location = database.location
    schema = version_of(connection, database)
    tables = all_tables() if schema == HEAD else []
    return StoreInfo(
        where=str(location),
        kind=location.kind,
        schema=schema,
        newest_schema=HEAD,
        algorithm=connection.scalar(select(meta.c.algorithm)) if tables else None,
        size_bytes=int(connection.scalar(_SIZES[location.kind]) or 0),
        rows={
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in tables
        },
    )


def upgrade_at(url_or_path: str | os.PathLike[str], is_gone: IsGone = nobody_is_gone) -> Upgrade:
    """Bring a store's schema to the newest version; a missing one is made.

    Args:
        url_or_path: Where it is.
        is_gone: Whether the host of that name surely doesn't run any more.

    Raises:
        HostsLive: Hosts use it.
        StoreError: It can't be, or was made by a newer mediahost.
    """
    database = database_at(locate(url_or_path))
    try:
        return upgrade(database, is_gone)
    finally:
        database.close()
