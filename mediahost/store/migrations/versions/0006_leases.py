# ruff: noqa: INP001 - Alembic loads it by its path
"""No index of leases: jobs under way are few, and each claim and each commit had to rewrite it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Remove the index."""
    op.drop_index("idx_jobs_leases", "jobs")
    if op.get_bind().dialect.name == "sqlite":
        # Its statistics go with it; what is read of the others stays as it was pinned.
        op.execute("ANALYZE sqlite_schema")


def downgrade() -> None:
    """Make the index."""
    where = sa.text("status = 'processing'")
    op.create_index(
        "idx_jobs_leases", "jobs", ["lease_until"], sqlite_where=where, postgresql_where=where
    )
