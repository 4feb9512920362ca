# ruff: noqa: INP001 - Alembic loads it by its path
"""Who watches the store hears of it when a job's turn changes."""

from alembic import op

from mediahost.store.changelog import log_updates_of

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    log_updates_of(op.get_bind(), "status, cancel_requested, priority")


def downgrade() -> None:
    """Back to the version before."""
    log_updates_of(op.get_bind(), "status, cancel_requested")
