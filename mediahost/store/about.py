"""A store from outside: where it is, how old its schema is, how much is in it."""

import os
from dataclasses import dataclass

from sqlalchemy import func, select, text

from mediahost.store.engine import Database
from mediahost.store.schema import HEAD, check_is_database, prepare, version_of
from mediahost.store.store import path_of
from mediahost.store.tables import Record, meta


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


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade did: the schema's version before and after it."""

    before: str | None
    after: str


def describe(url_or_path: str | os.PathLike[str]) -> StoreInfo:
    """Look at a store, changing nothing.

    Raises:
        StoreError: It can't be read.
    """
    database = _open(url_or_path)
    try:
        with database.read() as connection:
            schema = version_of(connection, database.path)
            tables = Record.metadata.sorted_tables if schema == HEAD else []
            return StoreInfo(
                where=str(database.path),
                kind="sqlite",
                schema=schema,
                newest_schema=HEAD,
                algorithm=connection.execute(select(meta.c.algorithm)).scalar() if tables else None,
                size_bytes=connection.execute(
                    text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
                ).scalar_one(),
                rows={
                    table.name: connection.execute(
                        select(func.count()).select_from(table)
                    ).scalar_one()
                    for table in tables
                },
            )
    finally:
        database.close()


def upgrade(url_or_path: str | os.PathLike[str]) -> Upgrade:
    """Bring a store's schema to the newest version; a missing store is made.

    Raises:
        StoreError: It can't be, or was made by a newer mediahost.
    """
    database = _open(url_or_path)
    try:
        with database.read() as connection:
            before = version_of(connection, database.path)
        prepare(database)
        return Upgrade(before, HEAD)
    finally:
        database.close()


def _open(url_or_path: str | os.PathLike[str]) -> Database:
    path = path_of(url_or_path)
    check_is_database(path)
    return Database(path)
