# ruff: noqa: INP001 - Alembic loads it by its path
"""The first schema: jobs, cached results, remembered file hashes."""

import sqlalchemy as sa
from alembic import op

from mediahost.store.dialect import Json, Real, Utc, unix_now, utc_now

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite plans by these statistics (its sqlite_stat1: rows of the index, then rows for one value of
# the first column, of the first two...). Without any it takes idx_jobs_status for a partial index's
# equal; gathered from a small store they would mislead it in a large one. So they are pinned, for
# a store of a million.
STATISTICS = {
    "jobs": {
        "sqlite_autoindex_jobs_1": "1000000 1",
        "sqlite_autoindex_jobs_2": "1000000 1",
        "idx_jobs_status": "1000000 200000 1",
        "idx_jobs_created_at": "1000000 1",
        "idx_jobs_job_type": "1000000 250000",
        "idx_jobs_source": "1000000 50000 20000 1",
        "idx_jobs_active_key": "10000 2 1",
        "idx_jobs_ready": "10000 5000 1",
        "idx_jobs_ready_by_source": "10000 2000 1000 1",
        "idx_jobs_later": "1000 1",
        "idx_jobs_leases": "500 1",
        "idx_jobs_to_cancel": "10 5",
    },
    "job_progress": {"sqlite_autoindex_job_progress_1": "100 1"},
    "analysis_jobs": {
        "sqlite_autoindex_analysis_jobs_1": "1000000 10 1",
        "idx_analysis_jobs_key": "1000000 10 1",
        "idx_analysis_jobs_created_at": "1000000 2 1",
    },
    "processing_jobs": {
        "sqlite_autoindex_processing_jobs_1": "1000000 1",
        "idx_processing_jobs_key": "1000000 10 1",
        "idx_processing_jobs_input_path": "1000000 10",
        "idx_processing_jobs_created_at": "1000000 2 1",
    },
    "file_hashes": {"file_hashes": "1000000 100 1"},
}


def upgrade() -> None:
    """To this version."""
    _create_jobs()
    _create_job_progress()
    _create_analysis_jobs()
    _create_processing_jobs()
    _create_file_hashes()
    _create_meta()
    if op.get_bind().dialect.name == "sqlite":
        _pin_statistics()


def downgrade() -> None:
    """Back to nothing."""
    for table in (
        "meta",
        "file_hashes",
        "processing_jobs",
        "analysis_jobs",
        "job_progress",
        "jobs",
    ):
        op.drop_table(table)


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_type", sa.String(50), nullable=False),
        sa.Column("status", sa.String(50), nullable=False, server_default=sa.text("'pending'")),
        sa.Column("media_url", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text()),
        sa.Column("parameters", Json, server_default=sa.text("'{}'")),
        sa.Column("result", Json),
        sa.Column("error", sa.Text()),
        sa.Column("created_at", Utc(), nullable=False, server_default=utc_now()),
        sa.Column("updated_at", Utc(), nullable=False, server_default=utc_now()),
        sa.Column("started_at", Utc()),
        sa.Column("completed_at", Utc()),
        sa.Column("processing_time_ms", sa.Integer()),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text()),
        sa.Column("action_version", sa.Integer()),
        sa.Column("file_hash", sa.Text()),
        sa.Column("config_hash", sa.Text()),
        sa.Column("pipeline", sa.Text()),
        sa.Column("step", sa.Text()),
        sa.Column("root_url", sa.Text()),
        sa.Column("source", sa.Text(), nullable=False, server_default=sa.text("'user'")),
        sa.Column("priority", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("attempt", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("failures", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("host", sa.Text()),
        sa.Column("lease_until", Real, comment="Unix seconds"),
        sa.Column("run_after", Real, comment="Unix seconds; NULL: ready now"),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("cached", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("number", name=op.f("uq_jobs_number")),
        comment="Durable requests: one action on one media file each",
    )
    op.create_index("idx_jobs_status", "jobs", ["status", "number"])
    op.create_index("idx_jobs_created_at", "jobs", [sa.text("created_at DESC")])
    op.create_index("idx_jobs_job_type", "jobs", ["job_type"])
    op.create_index("idx_jobs_source", "jobs", ["source", "status", "number"])
    key: list[str | sa.TextClause] = ["file_hash", "config_hash"]
    _create_partial("idx_jobs_active_key", key, "completed_at IS NULL", unique=True)
    ready = "status = 'pending' AND run_after IS NULL AND action IS NOT NULL"
    in_order: list[str | sa.TextClause] = [sa.text("priority DESC"), "number"]
    _create_partial("idx_jobs_ready", in_order, ready)
    _create_partial("idx_jobs_ready_by_source", ["source", *in_order], ready)
    later = "status = 'pending' AND run_after IS NOT NULL AND action IS NOT NULL"
    _create_partial("idx_jobs_later", ["run_after"], later)
    _create_partial("idx_jobs_leases", ["lease_until"], "status = 'processing'")
    _create_partial("idx_jobs_to_cancel", ["host"], "status = 'processing' AND cancel_requested")


def _create_partial(
    name: str, columns: list[str | sa.TextClause], condition: str, *, unique: bool = False
) -> None:
    where = sa.text(condition)
    op.create_index(
        name, "jobs", columns, unique=unique, sqlite_where=where, postgresql_where=where
    )


def _create_job_progress() -> None:
    op.create_table(
        "job_progress",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("fraction", Real, nullable=False),
        sa.Column("message", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job_progress")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_job_progress_job_id"), ondelete="CASCADE"
        ),
        comment="How far the attempts under way are",
    )


def _create_analysis_jobs() -> None:
    op.create_table(
        "analysis_jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file_path", sa.Text(), nullable=False),
        sa.Column("file_hash", sa.Text(), nullable=False),
        sa.Column("config_hash", sa.Text(), nullable=False),
        sa.Column("ranges", Json),
        sa.Column("metadata", Json),
        sa.Column("created_at", Real, nullable=False, server_default=unix_now()),
        sa.Column("action", sa.Text()),
        sa.Column("action_version", sa.Integer()),
        sa.Column("config", Json),
        sa.Column("result_hash", sa.Text()),
        sa.Column("elapsed_ms", sa.Integer()),
        sa.Column("transcription", Json),
        sa.Column("analysis", Json),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_analysis_jobs")),
        sa.UniqueConstraint(
            "file_path", "config_hash", name=op.f("uq_analysis_jobs_file_path_config_hash")
        ),
        comment="Cached results of analyzers, by content and config",
        sqlite_autoincrement=True,
    )
    op.create_index("idx_analysis_jobs_key", "analysis_jobs", ["file_hash", "config_hash"])
    _create_newest_first("analysis_jobs")


def _create_processing_jobs() -> None:
    op.create_table(
        "processing_jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("input_path", sa.Text(), nullable=False),
        sa.Column("input_hash", sa.Text(), nullable=False),
        sa.Column("output_path", sa.Text(), nullable=False),
        sa.Column("output_hash", sa.Text(), nullable=False),
        sa.Column("parameters", Json),
        sa.Column("metadata", Json),
        sa.Column("created_at", Real, nullable=False, server_default=unix_now()),
        sa.Column("config_hash", sa.Text()),
        sa.Column("action_version", sa.Integer()),
        sa.Column("result_hash", sa.Text()),
        sa.Column("elapsed_ms", sa.Integer()),
        sa.Column("artifacts", Json),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processing_jobs")),
        sa.UniqueConstraint("job_id", name=op.f("uq_processing_jobs_job_id")),
        comment="Cached results of processors, by content and config",
        sqlite_autoincrement=True,
    )
    op.create_index("idx_processing_jobs_key", "processing_jobs", ["input_hash", "config_hash"])
    op.create_index("idx_processing_jobs_input_path", "processing_jobs", ["input_path"])
    _create_newest_first("processing_jobs")


def _create_newest_first(table: str) -> None:
    newest_first = [sa.text("created_at DESC"), sa.text("id DESC")]
    op.create_index(f"idx_{table}_created_at", table, newest_first)


def _create_file_hashes() -> None:
    op.create_table(
        "file_hashes",
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("ctime_ns", sa.BigInteger(), nullable=False),
        sa.Column("dev", sa.BigInteger(), nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("hashed_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("file_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("folder", "name", name=op.f("pk_file_hashes")),
        comment="Hashes of files, remembered with the stat that vouches for them",
        sqlite_with_rowid=False,
    )


def _create_meta() -> None:
    op.create_table(
        "meta",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("algorithm", sa.String(50), nullable=False),
        sa.Column("last_job_number", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("created_at", Utc(), nullable=False, server_default=utc_now()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meta")),
        sa.CheckConstraint("id = 1", name=op.f("ck_meta_one_row")),
        comment="One row: what this store was made with",
    )


def _pin_statistics() -> None:
    op.execute("ANALYZE")
    op.execute("DELETE FROM sqlite_stat1")
    for table, indexes in STATISTICS.items():
        for index, numbers in indexes.items():
            row = sa.text("INSERT INTO sqlite_stat1 VALUES (:tbl, :idx, :stat)")
            op.execute(row.bindparams(tbl=table, idx=index, stat=numbers))
    # Of this special name: load what is there, gather nothing.
    op.execute("ANALYZE sqlite_schema")
