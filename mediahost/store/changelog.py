"""The log of changes: which jobs changed their state or their turn, written by the database itself.

Triggers write it, so that no writer can forget to, whatever program it is. New jobs are not in it
(their numbers say which they are), except those of other programs. It holds the last changes only:
whoever is further behind reads everything again.

A watcher that asks for `number > last` would lose rows on Postgres, where a transaction may commit
after another one that took later numbers. There the place in the log is a snapshot: what the last
look could not see is what has been committed since, in whatever order.
"""

from collections.abc import Collection
from typing import Any, Self

from sqlalchemy import (
    Boolean,
    Connection,
    Text,
    delete,
    event,
    func,
    select,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType

from mediahost.store.engine import Database
from mediahost.store.tables import Record, job_changes, meta

# So many changes are kept at least: some seconds of a busy host.
KEPT = 16_384
# And so many are removed at a time at most, to be quick about it.
MOST_TRIMMED = 100_000

# Where Postgres tells those who listen.
CHANNEL = "mediahost_jobs"

# What is told of a job that is there: its state, and its turn among those that wait.
LOGGED = "status, cancel_requested, priority"
_ON_UPDATE = {
    "sqlite": """CREATE TRIGGER job_changes_update AFTER UPDATE OF {} ON jobs BEGIN
        INSERT INTO job_changes (job_number, was, became)
            VALUES (new.number, old.status, new.status);
    END""",
    "postgresql": """CREATE TRIGGER job_changes_update AFTER UPDATE OF {} ON jobs
        FOR EACH ROW EXECUTE FUNCTION mediahost_log_job_change()""",
}
# Of another program's job; one that gets its number here says by that which it is.
_ON_INSERT = """CREATE TRIGGER job_changes_insert AFTER INSERT ON jobs
    WHEN new.action IS NULL AND new.number <> 0 BEGIN
        INSERT INTO job_changes (job_number, became) VALUES (new.number, new.status);
    END"""
SQLITE = (
    _ON_INSERT,
    """CREATE TRIGGER job_changes_delete AFTER DELETE ON jobs BEGIN
        INSERT INTO job_changes (job_number, was) VALUES (old.number, old.status);
    END""",
)
POSTGRESQL = (
    """CREATE FUNCTION mediahost_log_job_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO job_changes (job_number, was, became, by_transaction) VALUES (
            CASE WHEN TG_OP = 'DELETE' THEN OLD.number ELSE NEW.number END,
            CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE OLD.status END,
            CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE NEW.status END,
            CAST(CAST(pg_current_xact_id() AS text) AS bigint)
        );
        PERFORM pg_notify('mediahost_jobs', '');
        RETURN NULL;
    END $$""",
    """CREATE FUNCTION mediahost_notify_of_jobs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_notify('mediahost_jobs', '');
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER job_changes_insert AFTER INSERT ON jobs
        FOR EACH ROW WHEN (NEW.action IS NULL) EXECUTE FUNCTION mediahost_log_job_change()""",
    """CREATE TRIGGER job_changes_delete AFTER DELETE ON jobs
        FOR EACH ROW EXECUTE FUNCTION mediahost_log_job_change()""",
    """CREATE TRIGGER job_changes_added AFTER INSERT ON jobs
        FOR EACH STATEMENT EXECUTE FUNCTION mediahost_notify_of_jobs()""",
    """CREATE TRIGGER job_changes_progress AFTER INSERT OR UPDATE ON job_progress
        FOR EACH STATEMENT EXECUTE FUNCTION mediahost_notify_of_jobs()""",
)


def create_triggers(connection: Connection) -> None:
    """Make what writes the log."""
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL:
        connection.exec_driver_sql(statement)
    _log_updates(connection, LOGGED)


def log_updates_of(connection: Connection, columns: str) -> None:
    """Have changes of these columns logged, and of no others."""
    on_jobs = "" if connection.dialect.name == "sqlite" else " ON jobs"
    connection.exec_driver_sql(f"DROP TRIGGER job_changes_update{on_jobs}")
    _log_updates(connection, columns)


def log_numbered_inserts(connection: Connection) -> None:
    """Have jobs logged that come with a number, and no others. On Postgres all have one by then."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TRIGGER job_changes_insert")
        connection.exec_driver_sql(_ON_INSERT)


def _log_updates(connection: Connection, columns: str) -> None:
    connection.exec_driver_sql(_ON_UPDATE[connection.dialect.name].format(columns))


def drop_triggers(connection: Connection) -> None:
    """Take away what writes the log."""
    if connection.dialect.name == "sqlite":
        for name in ("update", "insert", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER job_changes_{name}")
    else:
        for function in ("log_job_change", "notify_of_jobs"):
            connection.exec_driver_sql(f"DROP FUNCTION mediahost_{function} CASCADE")


@event.listens_for(Record.metadata, "after_create")
def _create_with_tables(
    _metadata: Any, connection: Connection, tables: Collection[Any] = (), **_: Any
) -> None:
    if tables:  # else all were there, and so is this
        create_triggers(connection)


class log_position(FunctionElement[str]):  # noqa: N801 - named as the SQL function it is
    """Where the log ends, for the transaction that asks."""

    type = Text()
    inherit_cache = True


class logged_since(FunctionElement[bool]):  # noqa: N801 - named as the SQL function it is
    """Whether a row of the log is not in what `log_position` gave earlier: its one argument."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Self:  # noqa: ARG002 - inherited
        """Itself: SQLAlchemy would write `= 1` behind it, and no index serves that."""
        return self


class trimmed_since(FunctionElement[bool]):  # noqa: N801 - named as the SQL function it is
    """Whether rows may be gone that `log_position`, the one argument, had not seen."""

    type = Boolean()
    inherit_cache = True


# The first transaction that the snapshot could not see, as the log keeps it.
_LOWEST = "CAST(CAST(pg_snapshot_xmin(CAST({} AS pg_snapshot)) AS text) AS bigint)"


@compiles(log_position, "sqlite")
def _position_sqlite(_element: log_position, _compiler: SQLCompiler, **_: Any) -> str:
    return "(SELECT CAST(coalesce(max(number), 0) AS TEXT) FROM job_changes)"


@compiles(log_position, "postgresql")
def _position_postgresql(_element: log_position, _compiler: SQLCompiler, **_: Any) -> str:
    return "CAST(pg_current_snapshot() AS text)"


@compiles(logged_since, "sqlite")
def _since_sqlite(element: logged_since, compiler: SQLCompiler, **kw: Any) -> str:
    # One writer at a time: numbers are in the order of the commits.
    return f"job_changes.number > CAST({_argument(element, compiler, **kw)} AS INTEGER)"


@compiles(logged_since, "postgresql")
def _since_postgresql(element: logged_since, compiler: SQLCompiler, **kw: Any) -> str:
    # The first half is for the index, and for a log that is longer than the news.
    lowest = _LOWEST.format(_argument(element, compiler, **kw))
    seen = _argument(element, compiler, **kw)
    return (
        f"(job_changes.by_transaction >= {lowest} AND NOT pg_visible_in_snapshot("
        f"CAST(CAST(job_changes.by_transaction AS text) AS xid8), CAST({seen} AS pg_snapshot)))"
    )


@compiles(trimmed_since, "sqlite")
def _trimmed_sqlite(element: trimmed_since, compiler: SQLCompiler, **kw: Any) -> str:
    return f"meta.changes_trimmed > CAST({_argument(element, compiler, **kw)} AS INTEGER)"


@compiles(trimmed_since, "postgresql")
def _trimmed_postgresql(element: trimmed_since, compiler: SQLCompiler, **kw: Any) -> str:
    return f"meta.changes_trimmed >= {_LOWEST.format(_argument(element, compiler, **kw))}"


def _argument(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    (argument,) = element.clauses
    return compiler.process(argument, **kw)


# By themselves, each is one look at the index.
_ENDS = select(
    select(func.min(job_changes.c.number)).scalar_subquery(),
    select(func.max(job_changes.c.number)).scalar_subquery(),
)
_TRIM = delete(job_changes).returning(
    func.coalesce(job_changes.c.by_transaction, job_changes.c.number)
)


def trim(database: Database) -> None:
    """Remove what is older than the last changes, if there is enough of it to be worth the write.

    What is removed is noted, in the numbers that positions are made of.
    """
    with database.read() as connection:
        first, last = connection.execute(_ENDS).one()
    if first is None or last - first < 2 * KEPT:
        return
    end = min(last - KEPT, first + MOST_TRIMMED)
    with database.write() as connection:
        # Alone: the row is everybody's.
        trimmed = connection.execute(select(meta.c.changes_trimmed).with_for_update()).scalar_one()
        gone = connection.execute(_TRIM.where(job_changes.c.number <= end)).scalars()
        connection.execute(update(meta).values(changes_trimmed=max(gone, default=trimmed)))
