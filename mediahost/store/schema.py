"""The schema's version: read in one statement, changed by Alembic alone.

Importing Alembic costs more than all the rest of opening a store, so only a store that isn't at
`HEAD` pays for it.
"""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from mediahost.errors import StoreError
from mediahost.model.media import display
from mediahost.store.engine import BUSY_TIMEOUT_S, Database, store_error

# The newest version under migrations/versions; a test compares the two.
HEAD = "0005"

MIGRATIONS = Path(__file__).with_name("migrations")
_SQLITE_MAGIC = b"SQLite format 3\0"


def check_is_database(path: Path) -> None:
    """Refuse a file that SQLite didn't write, before anything touches it. No file is fine.

    Raises:
        StoreError: It is something else, or can't be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_SQLITE_MAGIC))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(
            f"The store {display(path)} can't be opened: {error.strerror}",
            "Check the path and its permissions.",
        ) from error
    if start and start != _SQLITE_MAGIC:
        raise StoreError(
            f"{display(path)} is no database, so it can't be the store", "Choose another path."
        )


def prepare(database: Database) -> None:
    """Bring the schema to `HEAD`, creating it in an empty file.

    Raises:
        StoreError: The database is another program's, or newer than this one.
    """
    with database.read() as connection:
        version = version_of(connection, database.path)
    if version != HEAD:
        _use_wal(database)
        with database.write() as connection:
            # Another process may have done it while this one waited to write.
            if version_of(connection, database.path) != HEAD:
                _migrate(connection)


def version_of(connection: Connection, path: Path) -> str | None:
    """The version of the schema, or None if there is none yet."""
    try:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except OperationalError as error:
        if "no such table" not in str(error.orig):
            raise
        if connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar():
            raise StoreError(
                f"{display(path)} is another program's database, so it can't be the store",
                "Choose another path.",
            ) from None
        return None
    if version != HEAD and not any((MIGRATIONS / "versions").glob(f"{version}_*.py")):
        raise StoreError(
            f"The store {display(path)} has schema {version}, and this mediahost knows {HEAD}",
            "It was made by a newer mediahost: upgrade this one.",
        )
    return str(version)


def _use_wal(database: Database) -> None:
    """Readers don't wait for the writer then. The file remembers it."""
    connection = sqlite3.connect(database.path, timeout=BUSY_TIMEOUT_S)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise store_error(database.path, error) from error
    finally:
        connection.close()


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - dear, and almost never needed
    from alembic.config import Config  # noqa: PLC0415 - the same

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
