# ruff: noqa: INP001 - Alembic loads it by its path
"""Folders that had all their results, and how many results were ever lost."""

import sqlalchemy as sa
from alembic import op

from mediahost.store.dialect import Real, unix_now
from mediahost.store.folder_tables import create_loss_triggers, drop_loss_triggers

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    op.create_table(
        "cached_folders",
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("recipe_hash", sa.Text(), nullable=False),
        sa.Column(
            "listing_hash", sa.Text(), nullable=False, comment="Of its files' names and stats"
        ),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("results", sa.Integer(), nullable=False),
        sa.Column("saved_ms", sa.BigInteger(), nullable=False),
        sa.Column(
            "results_lost",
            sa.BigInteger(),
            nullable=False,
            comment="Of meta, before it was looked at",
        ),
        sa.Column("created_at", Real, server_default=unix_now(), nullable=False),
        sa.PrimaryKeyConstraint("folder", "recipe_hash", name=op.f("pk_cached_folders")),
        comment="Folders of which nothing was to be done, as long as they look the same",
        sqlite_with_rowid=False,
    )
    op.add_column(
        "meta",
        sa.Column(
            "results_lost",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("0"),
            comment="How often a cached result, or what was known of a file, proved no longer true",
        ),
    )
    where = sa.text("result_hash IS NULL")
    op.create_index(
        "idx_analysis_jobs_foreign",
        "analysis_jobs",
        ["id"],
        sqlite_where=where,
        postgresql_where=where,
    )
    create_loss_triggers(op.get_bind())


def downgrade() -> None:
    """Back to the version before."""
    drop_loss_triggers(op.get_bind())
    op.drop_index("idx_analysis_jobs_foreign", "analysis_jobs")
    op.drop_column("meta", "results_lost")
    op.drop_table("cached_folders")
