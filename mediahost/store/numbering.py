"""Numbers for jobs that come without: the database gives them, whatever program adds a job.

Who knows the documented columns only, or adds many jobs in one statement, gives none; the column
then has its default, 0, which no job keeps.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, event

from mediahost.store.tables import Record

# The one row of `meta` counts. In a database that was upgraded and never opened there is none yet;
# without it, jobs would be those of a copy that is not finished. blake3 is what a store hashes with
# if nobody says otherwise.
SQLITE = (
    """CREATE TRIGGER jobs_number AFTER INSERT ON jobs WHEN new.number = 0 BEGIN
        INSERT INTO meta (id, algorithm)
            SELECT 1, 'blake3' WHERE NOT EXISTS (SELECT 1 FROM meta);
        UPDATE meta SET
            last_job_number = 1 + max(last_job_number, (SELECT max(number) FROM jobs));
        UPDATE jobs SET number = (SELECT last_job_number FROM meta) WHERE rowid = new.rowid;
    END""",
)
POSTGRESQL = (
    """CREATE FUNCTION mediahost_number_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO meta (id, algorithm) VALUES (1, 'blake3') ON CONFLICT DO NOTHING;
        UPDATE meta SET
            last_job_number = 1 + greatest(last_job_number, (SELECT max(number) FROM jobs))
            RETURNING last_job_number INTO NEW.number;
        RETURN NEW;
    END $$""",
    """CREATE TRIGGER jobs_number BEFORE INSERT ON jobs
        FOR EACH ROW WHEN (NEW.number = 0) EXECUTE FUNCTION mediahost_number_job()""",
)


def create_numbering(connection: Connection) -> None:
    """Make what gives numbers."""
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL:
        connection.exec_driver_sql(statement)


def drop_numbering(connection: Connection) -> None:
    """Take away what gives numbers."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TRIGGER jobs_number")
    else:
        connection.exec_driver_sql("DROP FUNCTION mediahost_number_job CASCADE")


@event.listens_for(Record.metadata, "after_create")
def _create_with_tables(
    _metadata: Any, connection: Connection, tables: Collection[Any] = (), **_: Any
) -> None:
    if tables:  # else all were there, and so is this
        create_numbering(connection)
