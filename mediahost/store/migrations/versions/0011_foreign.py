# ruff: noqa: INP001 - Alembic loads it by its path
"""Jobs of other programs are counted by an index of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

FOREIGN = sa.text("action IS NULL")


def upgrade() -> None:
    """To this version."""
    op.create_index(
        "idx_jobs_foreign",
        "jobs",
        ["status"],
        sqlite_where=FOREIGN,
        postgresql_where=FOREIGN,
    )


def downgrade() -> None:
    """Back to the version before."""
    op.drop_index("idx_jobs_foreign", "jobs")
