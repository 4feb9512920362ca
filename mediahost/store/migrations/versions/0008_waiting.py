# ruff: noqa: INP001 - Alembic loads it by its path
"""Jobs that wait are found by the indexes that are made for them, whatever a planner thinks."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# The index by status answers the one, which is what Postgres chose, and not the other.
BEFORE = "status = 'pending'"
PENDING = "(status = 'pending') IS TRUE"


def upgrade() -> None:
    """To this version."""
    _make_anew(PENDING)


def downgrade() -> None:
    """Back to the version before."""
    _make_anew(BEFORE)


def _make_anew(pending: str) -> None:
    in_order: list[str | sa.TextClause] = ["source", "action", sa.text("priority DESC"), "number"]
    _replace("idx_jobs_ready", in_order, f"{pending} AND run_after IS NULL")
    _replace("idx_jobs_later", ["run_after"], f"{pending} AND run_after IS NOT NULL")
    if op.get_bind().dialect.name == "sqlite":
        _pin("idx_jobs_ready", "10000 2000 1000 500 1")
        _pin("idx_jobs_later", "1000 1")
        # Of this special name: load what is there, gather nothing.
        op.execute("ANALYZE sqlite_schema")


def _replace(name: str, columns: list[str | sa.TextClause], condition: str) -> None:
    where = sa.text(f"{condition} AND action IS NOT NULL")
    op.drop_index(name, "jobs")
    op.create_index(name, "jobs", columns, sqlite_where=where, postgresql_where=where)


def _pin(index: str, numbers: str) -> None:
    """Let SQLite plan as for a large store, as for every other index."""
    row = sa.text("INSERT INTO sqlite_stat1 VALUES ('jobs', :idx, :stat)")
    op.execute(row.bindparams(idx=index, stat=numbers))
