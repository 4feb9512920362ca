"""The schema's version: read in one statement, changed by `mediahost.store.upgrade` alone."""

from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from mediahost.errors import StoreError
from mediahost.store.adoption import DOCUMENTED, is_documented
from mediahost.store.engine import Database

# The newest version under migrations/versions; a test compares the two.
HEAD = "0013"

MIGRATIONS = Path(__file__).with_name("migrations")

# Alembic's table alone says little: every program that uses Alembic has one.
_VERSION = text("SELECT version_num, (SELECT max(algorithm) FROM meta) FROM alembic_version")
# A file without tables may be another program's as well: these two numbers are for such to say so.
_ANYTHING_IN_SQLITE = text(
    "SELECT EXISTS (SELECT 1 FROM sqlite_master) OR user_version OR application_id"
    " FROM pragma_user_version, pragma_application_id"
)
# Without the tables of extensions, which belong to nobody.
_POSTGRES_TABLES = text(
    "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p')"
    " AND relnamespace = CAST(current_schema() AS regnamespace)"
    " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')"
)
_POSTGRES_VERSIONED = text(
    "SELECT to_regclass('alembic_version') IS NOT NULL AND EXISTS (SELECT FROM pg_attribute"
    " WHERE attrelid = to_regclass('meta') AND attname = 'algorithm')"
)


def version_of(connection: Connection, database: Database) -> str | None:
    """The version of the schema; None: there is none yet.

    Raises:
        StoreError: The database is another program's.
    """
    if database.location.path:
        return _version_of_sqlite(connection, database)
    if connection.scalar(_POSTGRES_VERSIONED) and (version := connection.scalar(_VERSION)):
        return str(version)
    if connection.scalar(_POSTGRES_TABLES):
        raise StoreError(
            f"{database} is another program's database, so it can't be the store",
            "Give it a database of its own, or a schema: ...?options=-csearch_path%3DNAME",
        )
    return None


def is_known(version: str | None) -> bool:
    """Whether this mediahost can bring a schema of that version to the newest one."""
    return version in (None, DOCUMENTED) or any((MIGRATIONS / "versions").glob(f"{version}_*.py"))


def newer(database: Database, version: str | None) -> StoreError:
    """The error for a schema that this mediahost doesn't know."""
    return StoreError(
        f"The store {database} has schema {version}, and this mediahost knows {HEAD}",
        "It was made by a newer mediahost: upgrade this one. Until then, jobs and results can be "
        "looked at.",
    )


def _version_of_sqlite(connection: Connection, database: Database) -> str | None:
    try:
        if version := connection.scalar(_VERSION):
            return str(version)
    except OperationalError as error:
        if not str(error.orig).startswith(("no such table", "no such column")):
            raise
    if connection.scalar(_ANYTHING_IN_SQLITE):
        if is_documented(connection):
            return DOCUMENTED
        raise StoreError(
            f"{database} is another program's database, so it can't be the store",
            "Choose another path.",
        )
    return None
