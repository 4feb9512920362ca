# ruff: noqa: INP001 - Alembic loads it by its path
"""Search finds words of every language, by one spelling of them for both databases."""

import sqlalchemy as sa
from alembic import op

from mediahost.store.backfill import write_all_passages
from mediahost.store.first_fulltext import create_first_full_text
from mediahost.store.fulltext import create_full_text, drop_full_text

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

EMPTY = "DELETE FROM passages"


def upgrade() -> None:
    """To this version. All passages are derived anew: ranges and sentences are found once."""
    connection = op.get_bind()
    drop_full_text(connection)
    op.execute(EMPTY)
    comment = "The words that search finds it by, spelled alike"
    op.add_column("passages", sa.Column("tokens", sa.Text(), comment=comment))
    if connection.dialect.name == "postgresql":
        op.alter_column("passages", "words", comment="What it says")
    create_full_text(connection)
    write_all_passages(connection)


def downgrade() -> None:
    """Back to the version before. What search found is lost until results are saved again."""
    connection = op.get_bind()
    drop_full_text(connection)
    op.execute(EMPTY)
    op.drop_column("passages", "tokens")
    if connection.dialect.name == "postgresql":
        op.alter_column("passages", "words", comment="What full text search looks through")
    create_first_full_text(connection)
