# ruff: noqa: INP001 - Alembic loads it by its path
"""The children of jobs, the files that were made, and what search finds."""

import sqlalchemy as sa
from alembic import op

from mediahost.store.backfill import backfill
from mediahost.store.dialect import Json, Real, Utc, utc_now
from mediahost.store.first_fulltext import create_first_full_text
from mediahost.store.fulltext import drop_full_text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# As in 0001: SQLite plans by these, for a store of a million jobs.
STATISTICS = {
    "media_assets": {
        "sqlite_autoindex_media_assets_1": "1500000 1",
        "idx_media_assets_job_id": "1500000 2",
        "idx_media_assets_asset_type": "1500000 150000",
    },
    "transcriptions": {
        "sqlite_autoindex_transcriptions_1": "100000 1",
        "idx_transcriptions_job_id": "100000 1",
        "idx_transcriptions_provider": "100000 50000",
    },
    "analysis_results": {
        "sqlite_autoindex_analysis_results_1": "100000 1",
        "idx_analysis_results_job_id": "100000 1",
        "idx_analysis_results_type": "100000 25000",
    },
    "made_files": {
        "made_files": "1000000 2 1",
        "idx_made_files_file_hash": "1000000 2",
        "idx_made_files_file_path": "1000000 1",
    },
    "passages": {
        "idx_passages_analysis_id": "10000000 50",
        "idx_passages_label": "10000000 1000000 10 2",
    },
}


def upgrade() -> None:
    """To this version."""
    _create_media_assets()
    _create_transcriptions()
    _create_analysis_results()
    _create_made_files()
    _create_passages()
    create_first_full_text(op.get_bind())
    backfill(op.get_bind())
    if op.get_bind().dialect.name == "sqlite":
        _pin_statistics()


def downgrade() -> None:
    """Back to 0001."""
    drop_full_text(op.get_bind())
    for table in ("passages", "made_files", "analysis_results", "transcriptions", "media_assets"):
        op.drop_table(table)


def _child() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
    )


def _keys(table: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f(f"fk_{table}_job_id"), ondelete="CASCADE"
        ),
    )


def _created_at() -> sa.Column[object]:
    return sa.Column("created_at", Utc(), nullable=False, server_default=utc_now())


def _create_media_assets() -> None:
    op.create_table(
        "media_assets",
        *_child(),
        sa.Column("asset_type", sa.String(50), nullable=False),
        sa.Column("file_path", sa.Text(), nullable=False),
        sa.Column("file_size_bytes", sa.BigInteger()),
        sa.Column("mime_type", sa.String(100)),
        sa.Column("metadata", Json, server_default=sa.text("'{}'")),
        _created_at(),
        sa.CheckConstraint("file_size_bytes >= 0", name=op.f("ck_media_assets_file_size_bytes")),
        *_keys("media_assets"),
        comment="Files that jobs were about or made",
    )
    op.create_index("idx_media_assets_job_id", "media_assets", ["job_id"])
    op.create_index("idx_media_assets_asset_type", "media_assets", ["asset_type"])


def _create_transcriptions() -> None:
    op.create_table(
        "transcriptions",
        *_child(),
        sa.Column("provider", sa.String(50), nullable=False),
        sa.Column("text_content", sa.Text(), nullable=False),
        sa.Column("language", sa.String(10)),
        sa.Column("confidence_score", sa.Float()),
        sa.Column(
            "word_timestamps", Json, comment="Words with start and end in seconds and probability"
        ),
        sa.Column("metadata", Json, server_default=sa.text("'{}'")),
        _created_at(),
        _share("transcriptions"),
        *_keys("transcriptions"),
        comment="What jobs heard in recordings",
    )
    op.create_index("idx_transcriptions_job_id", "transcriptions", ["job_id"])
    op.create_index("idx_transcriptions_provider", "transcriptions", ["provider"])


def _share(table: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        "confidence_score BETWEEN 0 AND 1", name=op.f(f"ck_{table}_confidence_score")
    )


def _create_analysis_results() -> None:
    op.create_table(
        "analysis_results",
        *_child(),
        sa.Column("analysis_type", sa.String(50), nullable=False),
        sa.Column("summary", sa.Text()),
        sa.Column("detailed_analysis", Json),
        sa.Column("confidence_score", sa.Float()),
        sa.Column("model_used", sa.String(100)),
        sa.Column("prompt_used", sa.Text()),
        sa.Column("input_tokens", sa.Integer()),
        sa.Column("output_tokens", sa.Integer()),
        _created_at(),
        _share("analysis_results"),
        *(
            sa.CheckConstraint(f"{count} >= 0", name=op.f(f"ck_analysis_results_{count}"))
            for count in ("input_tokens", "output_tokens")
        ),
        *_keys("analysis_results"),
        comment="What models made of media files",
    )
    op.create_index("idx_analysis_results_job_id", "analysis_results", ["job_id"])
    op.create_index("idx_analysis_results_type", "analysis_results", ["analysis_type"])


def _create_made_files() -> None:
    op.create_table(
        "made_files",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file_path", sa.Text(), nullable=False),
        sa.Column("file_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "position", name=op.f("pk_made_files")),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["processing_jobs.job_id"],
            name=op.f("fk_made_files_job_id"),
            ondelete="CASCADE",
        ),
        comment="Artifacts of cached results, by content and path",
        sqlite_with_rowid=False,
    )
    op.create_index("idx_made_files_file_hash", "made_files", ["file_hash"])
    op.create_index("idx_made_files_file_path", "made_files", ["file_path"])


def _create_passages() -> None:
    op.create_table(
        "passages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("analysis_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind", sa.String(20), nullable=False, comment="range, speech, page, text or summary"
        ),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("start_s", Real, comment="Seconds"),
        sa.Column("end_s", Real, comment="Seconds"),
        sa.Column("page", sa.Integer()),
        sa.Column("words", sa.Text(), comment="What full text search looks through"),
        sa.CheckConstraint("end_s >= start_s", name=op.f("ck_passages_forward")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passages")),
        sa.ForeignKeyConstraint(
            ["analysis_id"],
            ["analysis_jobs.id"],
            name=op.f("fk_passages_analysis_id"),
            ondelete="CASCADE",
        ),
        comment="What search finds in cached results",
        sqlite_autoincrement=True,
    )
    op.create_index("idx_passages_analysis_id", "passages", ["analysis_id"])
    op.create_index("idx_passages_label", "passages", ["label", "start_s", "end_s"])


def _pin_statistics() -> None:
    for table, indexes in STATISTICS.items():
        for index, numbers in indexes.items():
            row = sa.text("INSERT INTO sqlite_stat1 VALUES (:tbl, :idx, :stat)")
            op.execute(row.bindparams(tbl=table, idx=index, stat=numbers))
    # Of this special name: load what is there, gather nothing.
    op.execute("ANALYZE sqlite_schema")
