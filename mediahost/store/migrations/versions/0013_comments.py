# ruff: noqa: INP001 - Alembic loads it by its path
"""The tables of jobs say what they are in the words of their document."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COMMENTS = {
    "jobs": (
        "Durable requests: one action on one media file each",
        "Stores all media analysis job requests and their lifecycle status",
    ),
    "media_assets": (
        "Files that jobs were about or made",
        "Stores processed media files and their metadata",
    ),
    "transcriptions": (
        "What jobs heard in recordings",
        "Stores audio/video transcription results from multiple providers",
    ),
    "analysis_results": (
        "What models made of media files",
        "Stores LLM analysis results from MiniMax and other vision providers",
    ),
}


def upgrade() -> None:
    """To this version."""
    _comment(1)


def downgrade() -> None:
    """Back to the version before."""
    _comment(0)


def _comment(which: int) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, comments in COMMENTS.items():
            op.create_table_comment(table, comments[which])
