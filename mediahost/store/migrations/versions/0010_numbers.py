# ruff: noqa: INP001 - Alembic loads it by its path
"""Jobs that come without a number get one: programs need not know of that column."""

import sqlalchemy as sa
from alembic import op

from mediahost.store.changelog import log_numbered_inserts
from mediahost.store.numbering import create_numbering, drop_numbering

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WITHOUT, WITH = "number BIGINT NOT NULL", "number BIGINT DEFAULT 0 NOT NULL"


def upgrade() -> None:
    """To this version."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _make_jobs_anew(connection, WITHOUT, WITH)
    else:
        op.alter_column("jobs", "number", server_default=sa.text("0"))
    log_numbered_inserts(connection)
    create_numbering(connection)


def downgrade() -> None:
    """Back to the version before."""
    connection = op.get_bind()
    drop_numbering(connection)
    if connection.dialect.name == "sqlite":
        _make_jobs_anew(connection, WITH, WITHOUT)
    else:
        op.alter_column("jobs", "number", server_default=None)


def _make_jobs_anew(connection: sa.Connection, before: str, after: str) -> None:
    """Change a column, which SQLite can't, as its page on ALTER TABLE tells (section 7).

    All else stays to the letter: the indexes, the triggers and the statistics that are pinned.
    """
    ask = connection.exec_driver_sql
    (table,) = ask("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'jobs'").scalars()
    belongings = (
        ask(
            "SELECT sql FROM sqlite_schema WHERE tbl_name = 'jobs' AND type <> 'table'"
            " AND sql IS NOT NULL ORDER BY rowid"
        )
        .scalars()
        .all()
    )
    statistics = ask("SELECT tbl, idx, stat FROM sqlite_stat1 WHERE tbl = 'jobs'").all()
    columns = table[table.index("(") :]
    if before not in columns:
        raise ValueError(f"The table jobs is not as it was made: {table}")
    ask("CREATE TABLE jobs_anew " + columns.replace(before, after))
    ask("INSERT INTO jobs_anew SELECT * FROM jobs")
    ask("DROP TABLE jobs")
    ask("ALTER TABLE jobs_anew RENAME TO jobs")
    for statement in belongings:
        ask(statement)
    for row in statistics:
        ask("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", tuple(row))
    # Of this special name: load what is there, gather nothing.
    ask("ANALYZE sqlite_schema")
