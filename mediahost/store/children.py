"""The tables below a job: what it was about, what it made, what was said, what a model thought.

They are a job's own record and go with it. Cached results, and all that is derived from them,
stay: see `mediahost.store.tables` and `mediahost.store.derived`.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    Uuid,
    text,
)
from sqlmodel import Field, Relationship

from mediahost.model.job import new_job_id
from mediahost.store.dialect import Json, Utc, utc_now
from mediahost.store.tables import Job, Record


class MediaAsset(Record, table=True):
    """A file that a job was about, or that it made."""

    __tablename__ = "media_assets"
    __table_args__ = (
        CheckConstraint("file_size_bytes >= 0", name="file_size_bytes"),
        {"comment": "Stores processed media files and their metadata"},
    )

    id: UUID = Field(
        default_factory=new_job_id,
        sa_column=Column("id", Uuid, primary_key=True, default=new_job_id),
    )
    job_id: UUID = Field(
        sa_column=Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False)
    )
    asset_type: str = Field(sa_column=Column("asset_type", String(50), nullable=False))
    file_path: str = Field(sa_column=Column("file_path", Text, nullable=False))
    file_size_bytes: int | None = Field(
        default=None, sa_column=Column("file_size_bytes", BigInteger)
    )
    mime_type: str | None = Field(default=None, sa_column=Column("mime_type", String(100)))
    details: dict[str, Any] | None = Field(
        default_factory=dict,
        alias="metadata",
        sa_column=Column("metadata", Json, server_default=text("'{}'")),
    )
    created_at: datetime | None = Field(
        default=None, sa_column=Column("created_at", Utc, nullable=False, server_default=utc_now())
    )

    job: Job = Relationship(back_populates="assets")

    def __repr__(self) -> str:
        kind, path, job_id = map(self._loaded, ("asset_type", "file_path", "job_id"))
        return f"<MediaAsset {kind} {path!r} of job {job_id}>"


class Transcription(Record, table=True):
    """What a job heard."""

    __tablename__ = "transcriptions"
    __table_args__ = (
        CheckConstraint("confidence_score BETWEEN 0 AND 1", name="confidence_score"),
        {"comment": "Stores audio/video transcription results from multiple providers"},
    )

    id: UUID = Field(
        default_factory=new_job_id,
        sa_column=Column("id", Uuid, primary_key=True, default=new_job_id),
    )
    job_id: UUID = Field(
        sa_column=Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False)
    )
    provider: str = Field(sa_column=Column("provider", String(50), nullable=False))
    text_content: str = Field(sa_column=Column("text_content", Text, nullable=False))
    language: str | None = Field(default=None, sa_column=Column("language", String(10)))
    confidence_score: float | None = Field(
        default=None, sa_column=Column("confidence_score", Float)
    )
    word_timestamps: list[Any] | dict[str, Any] | None = Field(
        default=None,
        sa_column=Column(
            "word_timestamps",
            Json,
            comment="Words with start and end in seconds and probability",
        ),
    )
    details: dict[str, Any] | None = Field(
        default_factory=dict,
        alias="metadata",
        sa_column=Column("metadata", Json, server_default=text("'{}'")),
    )
    created_at: datetime | None = Field(
        default=None, sa_column=Column("created_at", Utc, nullable=False, server_default=utc_now())
    )

    job: Job = Relationship(back_populates="transcriptions")

    def __repr__(self) -> str:
        provider, said, job_id = map(self._loaded, ("provider", "text_content", "job_id"))
        return f"<Transcription by {provider}: {len(said)} characters, of job {job_id}>"


class AnalysisResult(Record, table=True):
    """What a model made of a job's media file."""

    __tablename__ = "analysis_results"
    __table_args__ = (
        CheckConstraint("confidence_score BETWEEN 0 AND 1", name="confidence_score"),
        CheckConstraint("input_tokens >= 0", name="input_tokens"),
        CheckConstraint("output_tokens >= 0", name="output_tokens"),
        {
            "comment": "Stores LLM analysis results from MiniMax and other vision providers",
        },
    )

    id: UUID = Field(
        default_factory=new_job_id,
        sa_column=Column("id", Uuid, primary_key=True, default=new_job_id),
    )
    job_id: UUID = Field(
        sa_column=Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False)
    )
    analysis_type: str = Field(sa_column=Column("analysis_type", String(50), nullable=False))
    summary: str | None = Field(default=None, sa_column=Column("summary", Text))
    detailed_analysis: dict[str, Any] | None = Field(
        default=None, sa_column=Column("detailed_analysis", Json)
    )
    confidence_score: float | None = Field(
        default=None, sa_column=Column("confidence_score", Float)
    )
    model_used: str | None = Field(default=None, sa_column=Column("model_used", String(100)))
    prompt_used: str | None = Field(default=None, sa_column=Column("prompt_used", Text))
    input_tokens: int | None = Field(default=None, sa_column=Column("input_tokens", Integer))
    output_tokens: int | None = Field(default=None, sa_column=Column("output_tokens", Integer))
    created_at: datetime | None = Field(
        default=None, sa_column=Column("created_at", Utc, nullable=False, server_default=utc_now())
    )

    job: Job = Relationship(back_populates="analysis_results")

    def __repr__(self) -> str:
        kind, model, job_id = map(self._loaded, ("analysis_type", "model_used", "job_id"))
        return f"<AnalysisResult {kind} by {model} of job {job_id}>"


media_assets = Record.metadata.tables["media_assets"]
transcriptions = Record.metadata.tables["transcriptions"]
analysis_results = Record.metadata.tables["analysis_results"]

Index("idx_media_assets_job_id", media_assets.c.job_id)
Index("idx_media_assets_asset_type", media_assets.c.asset_type)
Index("idx_transcriptions_job_id", transcriptions.c.job_id)
Index("idx_transcriptions_provider", transcriptions.c.provider)
Index("idx_analysis_results_job_id", analysis_results.c.job_id)
Index("idx_analysis_results_type", analysis_results.c.analysis_type)
