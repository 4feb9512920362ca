"""Bringing a schema to the newest version, which is also how a new one comes to be.

Importing Alembic costs more than all the rest of opening a store, so only a store that isn't at
the newest version pays for it.
"""

import math
import os
import sqlite3
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from mediahost.errors import StoreError
from mediahost.store.adoption import DOCUMENTED, set_aside
from mediahost.store.engine import Database
from mediahost.store.live_hosts import IsGone, nobody_is_gone, refuse_while_hosts_live
from mediahost.store.schema import HEAD, MIGRATIONS, is_known, newer, version_of
from mediahost.store.sqlite import SqliteDatabase
from mediahost.store.sqlite_file import create_private, is_full

# Any number that other programs on the server are unlikely to lock: "mediahos" in ASCII.
_LOCK = text("SELECT pg_advisory_xact_lock(7882821803498876787)")

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade did.

    Attributes:
        before: The schema's version before it; None: it had none.
        after: The version now.
        backup: A copy of the store as it was; None: none was made.
    """

    before: str | None
    after: str
    backup: Path | None = None


def prepare(database: Database, *, browse: bool = False, is_gone: IsGone = nobody_is_gone) -> None:
    """See that the schema is of the newest version: a file is upgraded, a server's is not.

    From then on each write makes sure that it still is.

    Args:
        database: The database.
        browse: Let a newer schema pass, with the database closed to writing.
        is_gone: Whether the host of that name surely doesn't run any more.

    Raises:
        StoreError: It is another program's, newer, on a server and not upgraded yet, or is not
            upgraded because hosts use it.
    """
    with database.read() as connection:
        version = version_of(connection, database)
    _bring_up_to_date(database, version, browse=browse, is_gone=is_gone)
    database.made_for = HEAD


def _bring_up_to_date(
    database: Database, version: str | None, *, browse: bool, is_gone: IsGone
) -> None:
    if version == HEAD:
        return
    if not is_known(version):
        database.closed_to_writing = newer(database, version)
        if not browse:
            raise database.closed_to_writing
    elif database.location.path:
        upgrade(database, is_gone)
    else:
        state = f"has schema {version}" if version else "has no schema yet"
        raise StoreError(
            f"The store {database} {state}, and this mediahost needs {HEAD}",
            "Run: mediahost store upgrade",
        )


def upgrade(database: Database, is_gone: IsGone = nobody_is_gone) -> Upgrade:
    """Bring the schema to the newest version, in one transaction.

    Of a file with data, a copy is kept beside it.

    Args:
        database: The database.
        is_gone: Whether the host of that name surely doesn't run any more.

    Raises:
        HostsLive: Hosts use it.
        StoreError: It can't be, or is newer.
    """
    if isinstance(database, SqliteDatabase):
        # Of several processes that come at once one does it; it may take longer than they wait.
        return database.persevere(lambda: _upgrade_file(database, is_gone))
    with database.write() as connection:
        connection.execute(_LOCK)
        before = _checked_version(connection, database)
        if before != HEAD:
            refuse_while_hosts_live(connection, database, is_gone)
            migrate(connection)
    return Upgrade(before, HEAD)


def _upgrade_file(database: SqliteDatabase, is_gone: IsGone) -> Upgrade:
    with database.read() as connection:
        # What is not ours is not touched.
        _checked_version(connection, database)
    with database.raw() as raw:
        # Readers don't wait for the writer then. The file remembers it.
        raw.execute("PRAGMA journal_mode = WAL")
    with database.exclusive() as connection:
        # Another process may have done it while this one waited to write.
        before = _checked_version(connection, database)
        if before == HEAD:
            return Upgrade(before, HEAD)
        refuse_while_hosts_live(connection, database, is_gone)
        backup = _back_up(database, before) if before else None
        with set_aside(connection) if before == DOCUMENTED else nullcontext():
            migrate(connection)
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken:
            raise StoreError(
                f"The store {database} can't be upgraded: a row of {broken[0]} names a row of "
                f"{broken[2]} that is not there",
                "It is as it was. Restore it from a backup.",
            )
    return Upgrade(before, HEAD, backup)


def _checked_version(connection: Connection, database: Database) -> str | None:
    version = version_of(connection, database)
    if not is_known(version):
        raise newer(database, version)
    return version


def _back_up(database: SqliteDatabase, version: str) -> Path:
    """Copy the file as it was when the writing transaction began.

    Raises:
        StoreError: The folder has no room for it, or may not be written to.
    """
    path = database.path.with_name(f"{database.path.name}.{version}.backup")
    try:
        _copy_file(database, path)
    except OSError as error:
        raise _not_backed_up(database, os.strerror(error.errno or 0)) from error
    except StoreError as error:
        # The store is only read: the disk that is full is full for its copy.
        if not is_full(error):
            raise
        raise _not_backed_up(database, "the disk is full") from error
    return path


def _copy_file(database: SqliteDatabase, path: Path) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    create_private(partial)
    try:
        with database.raw() as source, closing(sqlite3.connect(partial)) as target:
            source.backup(target)
        _sync(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _sync(path.parent)


def _not_backed_up(database: SqliteDatabase, reason: str) -> StoreError:
    # The copy, and as much again for what the upgrade writes.
    room = math.ceil(2 * database.path.stat().st_size / MB)
    return StoreError(
        f"The store {database} is not upgraded, for no copy can be kept of it as it is: {reason}",
        f"See that its folder can be written and has {room:,} MB free, then try again.",
    )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def migrate(connection: Connection) -> None:
    """Run the migrations that a schema lacks, in the transaction of this connection."""
    from alembic import command  # noqa: PLC0415 - dear, and almost never needed
    from alembic.config import Config  # noqa: PLC0415 - the same

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
