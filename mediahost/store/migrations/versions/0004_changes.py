# ruff: noqa: INP001 - Alembic loads it by its path
"""The log of changes, for those who watch the store."""

import sqlalchemy as sa
from alembic import op

from mediahost.store.changelog import create_triggers, drop_triggers
from mediahost.store.dialect import BigSerial

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    op.create_table(
        "job_changes",
        sa.Column("number", BigSerial, nullable=False),
        sa.Column("job_number", sa.BigInteger(), nullable=False),
        sa.Column("was", sa.String(50), comment="Status before; NULL: there was no job"),
        sa.Column("became", sa.String(50), comment="Status after; NULL: deleted"),
        sa.Column("by_transaction", sa.BigInteger(), comment="Its number, on Postgres"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_job_changes")),
        comment="The last changes of jobs' states, for those who watch",
    )
    where = sa.text("by_transaction IS NOT NULL")
    op.create_index(
        "idx_job_changes_by_transaction",
        "job_changes",
        ["by_transaction"],
        sqlite_where=where,
        postgresql_where=where,
    )
    op.add_column(
        "meta",
        sa.Column(
            "changes_trimmed",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("0"),
            comment="The last of job_changes that was removed",
        ),
    )
    create_triggers(op.get_bind())


def downgrade() -> None:
    """Back to the version before."""
    drop_triggers(op.get_bind())
    op.drop_column("meta", "changes_trimmed")
    op.drop_table("job_changes")
