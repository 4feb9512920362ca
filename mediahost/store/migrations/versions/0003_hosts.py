# ruff: noqa: INP001 - Alembic loads it by its path
"""Several hosts: attempts that gave no result, heartbeats, pauses, claims by source and action."""

import sqlalchemy as sa
from alembic import op

from mediahost.store.dialect import Real, Utc, utc_now

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

READY = "status = 'pending' AND run_after IS NULL AND action IS NOT NULL"


def upgrade() -> None:
    """To this version."""
    _create_job_attempts()
    _create_hosts()
    _create_pauses()
    op.drop_index("idx_jobs_ready_by_source", "jobs")
    op.drop_index("idx_jobs_ready", "jobs")
    _create_ready(["source", "action", sa.text("priority DESC"), "number"])
    _pin("idx_jobs_ready", "10000 2000 1000 500 1")


def downgrade() -> None:
    """Back to one host."""
    op.drop_index("idx_jobs_ready", "jobs")
    _create_ready([sa.text("priority DESC"), "number"])
    _create_ready(["source", sa.text("priority DESC"), "number"], "idx_jobs_ready_by_source")
    _pin("idx_jobs_ready", "10000 5000 1")
    _pin("idx_jobs_ready_by_source", "10000 2000 1000 1")
    for table in ("pauses", "hosts", "job_attempts"):
        op.drop_table(table)


def _create_ready(columns: list[str | sa.TextClause], name: str = "idx_jobs_ready") -> None:
    where = sa.text(READY)
    op.create_index(name, "jobs", columns, sqlite_where=where, postgresql_where=where)


def _pin(index: str, numbers: str) -> None:
    """Let SQLite plan as for a large store, as for every other index."""
    if op.get_bind().dialect.name != "sqlite":
        return
    row = sa.text("INSERT INTO sqlite_stat1 VALUES ('jobs', :idx, :stat)")
    op.execute(row.bindparams(idx=index, stat=numbers))
    # Of this special name: load what is there, gather nothing.
    op.execute("ANALYZE sqlite_schema")


def _create_job_attempts() -> None:
    op.create_table(
        "job_attempts",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(50), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("traceback", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("ended_at", Utc(), nullable=False, server_default=utc_now()),
        sa.Column("elapsed_ms", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("retry_in_s", Real),
        sa.PrimaryKeyConstraint("job_id", "attempt", name=op.f("pk_job_attempts")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_job_attempts_job_id"), ondelete="CASCADE"
        ),
        comment="Attempts that gave no result",
    )


def _create_hosts() -> None:
    op.create_table(
        "hosts",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("executor", sa.Text(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("running", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(50), nullable=False),
        sa.Column("started_at", Utc(), nullable=False, server_default=utc_now()),
        sa.Column("seen_at", Real, nullable=False, comment="Unix seconds"),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_hosts")),
        comment="Hosts that share this store, by their heartbeats",
    )


def _create_pauses() -> None:
    op.create_table(
        "pauses",
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False, server_default=utc_now()),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_pauses")),
        comment="Jobs that no host claims: all, of a source, of an action",
    )
