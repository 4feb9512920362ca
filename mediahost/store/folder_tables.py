"""Folders that had all their results when they were last seen, and what may make that untrue.

A row holds as long as no cached result was lost anywhere and no file turned out to be another one
under the stat that it had: both are counted in the row of `meta`, by triggers, so that no writer
can forget to, whatever program it is. What becomes of the files themselves is seen in their stats.

SQLite calls no trigger for a row that `REPLACE` removes. No row of ours is replaced so, and while
there are rows of other programs, which have no hash of a result, nothing that is here holds: an
index of them, which is empty elsewhere, costs a new result nothing, a trigger would cost 2 µs.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Integer, Text, event
from sqlmodel import Field

from mediahost.store.dialect import Real, unix_now
from mediahost.store.tables import Record

_LOST = "UPDATE meta SET results_lost = results_lost + 1"
# A result that only moves to another path is not lost.
_NO_LONGER = (
    "old.result_hash IS NULL OR new.result_hash IS NULL"
    " OR new.file_hash <> old.file_hash OR new.config_hash <> old.config_hash"
)
_SAME_STAT = " AND ".join(
    f"new.{part} = old.{part}" for part in ("size", "mtime_ns", "ctime_ns", "dev", "inode")
)
_REHASHED = f"new.file_hash <> old.file_hash AND {_SAME_STAT}"

SQLITE = (
    f"""CREATE TRIGGER results_lost_delete AFTER DELETE ON analysis_jobs BEGIN
        {_LOST};
    END""",
    f"""CREATE TRIGGER results_lost_update AFTER UPDATE OF file_hash, config_hash, result_hash
        ON analysis_jobs WHEN {_NO_LONGER} BEGIN
        {_LOST};
    END""",
    f"""CREATE TRIGGER results_lost_rehashed AFTER UPDATE OF file_hash ON file_hashes
        WHEN {_REHASHED} BEGIN
        {_LOST};
    END""",
)
POSTGRESQL = (
    f"""CREATE FUNCTION mediahost_count_lost_results() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        {_LOST};
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER results_lost_delete AFTER DELETE ON analysis_jobs
        FOR EACH STATEMENT EXECUTE FUNCTION mediahost_count_lost_results()""",
    """CREATE TRIGGER results_lost_truncate AFTER TRUNCATE ON analysis_jobs
        FOR EACH STATEMENT EXECUTE FUNCTION mediahost_count_lost_results()""",
    f"""CREATE TRIGGER results_lost_update AFTER UPDATE OF file_hash, config_hash, result_hash
        ON analysis_jobs FOR EACH ROW WHEN ({_NO_LONGER})
        EXECUTE FUNCTION mediahost_count_lost_results()""",
    f"""CREATE TRIGGER results_lost_rehashed AFTER UPDATE OF file_hash ON file_hashes
        FOR EACH ROW WHEN ({_REHASHED}) EXECUTE FUNCTION mediahost_count_lost_results()""",
)


class CachedFolderRow(Record, table=True):
    """A folder whose media files all had their results under a recipe."""

    __tablename__ = "cached_folders"
    __table_args__ = (
        {
            "comment": "Folders of which nothing was to be done, as long as they look the same",
            "sqlite_with_rowid": False,
        },
    )

    folder: str = Field(sa_column=Column("folder", Text, primary_key=True))
    recipe_hash: str = Field(sa_column=Column("recipe_hash", Text, primary_key=True))
    listing_hash: str = Field(
        sa_column=Column(
            "listing_hash", Text, nullable=False, comment="Of its files' names and stats"
        )
    )
    files: int = Field(sa_column=Column("files", Integer, nullable=False))
    results: int = Field(sa_column=Column("results", Integer, nullable=False))
    saved_ms: int = Field(sa_column=Column("saved_ms", BigInteger, nullable=False))
    results_lost: int = Field(
        sa_column=Column(
            "results_lost", BigInteger, nullable=False, comment="Of meta, before it was looked at"
        )
    )
    created_at: float | None = Field(
        default=None,
        sa_column=Column("created_at", Real, nullable=False, server_default=unix_now()),
    )


cached_folders = Record.metadata.tables["cached_folders"]


def create_loss_triggers(connection: Connection) -> None:
    """Make what counts losses."""
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL:
        connection.exec_driver_sql(statement)


def drop_loss_triggers(connection: Connection) -> None:
    """Take away what counts losses."""
    if connection.dialect.name == "sqlite":
        for name in ("delete", "update", "rehashed"):
            connection.exec_driver_sql(f"DROP TRIGGER results_lost_{name}")
    else:
        connection.exec_driver_sql("DROP FUNCTION mediahost_count_lost_results CASCADE")


@event.listens_for(Record.metadata, "after_create")
def _create_with_tables(
    _metadata: Any, connection: Connection, tables: Collection[Any] = (), **_: Any
) -> None:
    if tables:  # else all were there, and so is this
        create_loss_triggers(connection)
