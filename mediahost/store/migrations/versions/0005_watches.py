# ruff: noqa: INP001 - Alembic loads it by its path
"""Watched folders, the files in them, and what was made of those."""

import sqlalchemy as sa
from alembic import op

from mediahost.store.dialect import Json, Real, unix_now

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _create_watches()
    _create_watched_files()
    _create_watch_outputs()


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("watch_outputs")
    op.drop_table("watched_files")
    op.drop_table("watches")


def _create_watches() -> None:
    op.create_table(
        "watches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("rule", Json, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False, comment="settings, command or once"),
        sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("scan_asked", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column(
            "accepted",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="A person said that what is gone may be gone",
        ),
        sa.Column("host", sa.Text()),
        sa.Column("seen_at", Real, comment="Unix seconds"),
        sa.Column("health", Json, nullable=False, server_default=sa.text("'{}'")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watches")),
        sa.UniqueConstraint("name", name=op.f("uq_watches_name")),
        comment="Watched folders, and how they are",
    )


def _create_watched_files() -> None:
    op.create_table(
        "watched_files",
        sa.Column("watch_id", sa.Integer(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("ctime_ns", sa.BigInteger(), nullable=False),
        sa.Column("dev", sa.BigInteger(), nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("generation", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("file_hash", sa.Text()),
        sa.Column("first_seen", Real, nullable=False),
        sa.Column("changed_at", Real, nullable=False),
        sa.PrimaryKeyConstraint("watch_id", "folder", "name", name=op.f("pk_watched_files")),
        sa.ForeignKeyConstraint(
            ["watch_id"],
            ["watches.id"],
            name=op.f("fk_watched_files_watch_id"),
            ondelete="CASCADE",
        ),
        comment="Files in watched folders, and where they are on their way",
        sqlite_with_rowid=False,
    )
    op.create_index("idx_watched_files_state", "watched_files", ["watch_id", "state", "changed_at"])
    op.create_index("idx_watched_files_inode", "watched_files", ["watch_id", "inode"])


def _create_watch_outputs() -> None:
    op.create_table(
        "watch_outputs",
        sa.Column("watch_id", sa.Integer(), nullable=False),
        sa.Column("file_hash", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("created_at", Real, nullable=False, server_default=unix_now()),
        sa.PrimaryKeyConstraint("watch_id", "file_hash", name=op.f("pk_watch_outputs")),
        sa.ForeignKeyConstraint(
            ["watch_id"],
            ["watches.id"],
            name=op.f("fk_watch_outputs_watch_id"),
            ondelete="CASCADE",
        ),
        comment="What watches wrote, by content",
        sqlite_with_rowid=False,
    )
    op.create_index("idx_watch_outputs_file_hash", "watch_outputs", ["file_hash"])
