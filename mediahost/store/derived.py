"""The tables that are derived from cached results, so that results can be searched.

Their rows come and go with the cached result, not with a job: deleting a job forgets neither
where a file came from nor what was said in it.
"""

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    event,
)
from sqlmodel import Field

from mediahost.store.dialect import Real
from mediahost.store.fulltext import create_full_text
from mediahost.store.tables import Record


class MadeFile(Record, table=True):
    """An artifact by its content and path: what lineage is followed through."""

    __tablename__ = "made_files"
    __table_args__ = (
        {
            "comment": "Artifacts of cached results, by content and path",
            "sqlite_with_rowid": False,
        },
    )

    job_id: str = Field(
        sa_column=Column(
            "job_id",
            Text,
            ForeignKey("processing_jobs.job_id", ondelete="CASCADE"),
            primary_key=True,
        )
    )
    position: int = Field(
        sa_column=Column("position", Integer, primary_key=True, autoincrement=False)
    )
    file_path: str = Field(sa_column=Column("file_path", Text, nullable=False))
    file_hash: str = Field(sa_column=Column("file_hash", Text, nullable=False))


class Passage(Record, table=True):
    """A time range, a stretch of a transcript, a page or a summary: what search finds."""

    __tablename__ = "passages"
    __table_args__ = (
        CheckConstraint("end_s >= start_s", name="forward"),
        {"comment": "What search finds in cached results", "sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, sa_column=Column("id", Integer, primary_key=True))
    analysis_id: int = Field(
        sa_column=Column(
            "analysis_id",
            Integer,
            ForeignKey("analysis_jobs.id", ondelete="CASCADE"),
            nullable=False,
        )
    )
    kind: str = Field(
        sa_column=Column(
            "kind", String(20), nullable=False, comment="range, speech, page, text or summary"
        )
    )
    label: str = Field(sa_column=Column("label", Text, nullable=False))
    start_s: float | None = Field(
        default=None, sa_column=Column("start_s", Real, comment="Seconds")
    )
    end_s: float | None = Field(default=None, sa_column=Column("end_s", Real, comment="Seconds"))
    page: int | None = Field(default=None, sa_column=Column("page", Integer))
    words: str | None = Field(default=None, sa_column=Column("words", Text, comment="What it says"))
    tokens: str | None = Field(
        default=None,
        sa_column=Column(
            "tokens", Text, comment="The words that search finds it by, spelled alike"
        ),
    )


made_files = Record.metadata.tables["made_files"]
passages = Record.metadata.tables["passages"]

Index("idx_made_files_file_hash", made_files.c.file_hash)
Index("idx_made_files_file_path", made_files.c.file_path)
Index("idx_passages_analysis_id", passages.c.analysis_id)
# Covers a search for time ranges of one label.
Index("idx_passages_label", passages.c.label, passages.c.start_s, passages.c.end_s)


@event.listens_for(passages, "after_create")
def _create_full_text(_table: Table, connection: Connection, **_: Any) -> None:
    create_full_text(connection)
