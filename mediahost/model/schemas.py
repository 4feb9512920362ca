"""Schemas: jobs and their children as they are asked for and answered with, checked at the door.

`from_attributes` reads them off the rows of `mediahost.store`, where the column `metadata` is the
attribute `details`.
"""

import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AliasChoices,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    field_validator,
)

from mediahost.model.job import JobStatus
from mediahost.model.kinds import MediaKind

# A job is of the kind of its media file.
JobType = MediaKind


class AssetType(StrEnum):
    """What a file of a job is. A plugin may have types of its own."""

    ORIGINAL = "original"
    FRAME = "frame"
    CONTACT_SHEET = "contact_sheet"
    TRANSCRIPTION = "transcription"
    AUDIO = "audio"
    VIDEO = "video"
    IMAGE = "image"
    THUMBNAIL = "thumbnail"
    WAVEFORM = "waveform"
    PAGE = "page"
    SUBTITLES = "subtitles"


ShortText = Annotated[str, StringConstraints(min_length=1, max_length=50)]
Text = Annotated[str, StringConstraints(min_length=1)]
JsonObject = dict[str, JsonValue]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
# As much as columns of 4 and of 8 bytes take.
Count = Annotated[int, Field(ge=0, lt=2**31)]
Size = Annotated[int, Field(ge=0, lt=2**63)]


def can_be_kept(text: str) -> bool:
    """Whether both databases take a text: no NUL in it, and nothing that is not UTF-8."""
    return "\0" not in text and (text.isascii() or text.encode(errors="replace").decode() == text)


class _Asked(BaseModel):
    model_config = ConfigDict(
        extra="forbid", from_attributes=True, use_enum_values=True, populate_by_name=True
    )

    @field_validator("*")
    @classmethod
    def _can_be_kept(cls, value: Any) -> Any:
        """The databases differ in what else they would take."""
        if isinstance(value, str):
            if not can_be_kept(value):
                raise ValueError("it has characters that no database keeps")
        elif isinstance(value, dict | list):
            try:
                json.dumps(value, allow_nan=False)
            except ValueError:
                raise ValueError("JSON has neither NaN nor infinity") from None
        return value


class _Answered(BaseModel):
    model_config = ConfigDict(from_attributes=True, populate_by_name=True)


def _metadata() -> Any:
    return Field(None, validation_alias=AliasChoices("details", "metadata"))


class JobCreate(_Asked):
    """A job to keep."""

    job_type: JobType
    media_url: Text
    prompt: str | None = None
    parameters: JsonObject = Field(default_factory=dict)


class MediaAssetCreate(_Asked):
    """A file of a job to keep."""

    job_id: UUID
    asset_type: ShortText
    file_path: Text
    file_size_bytes: Size | None = Field(None, description="Bytes")
    mime_type: Annotated[str, StringConstraints(max_length=100)] | None = None
    metadata: JsonObject = Field(default_factory=dict)


class TranscriptionCreate(_Asked):
    """A transcription of a job to keep."""

    job_id: UUID
    provider: ShortText
    text_content: str
    language: Annotated[str, StringConstraints(max_length=10)] | None = None
    confidence_score: Share | None = None
    word_timestamps: list[JsonValue] | JsonObject | None = Field(
        None, description="Words with start and end in seconds and probability"
    )
    metadata: JsonObject = Field(default_factory=dict)


class AnalysisResultCreate(_Asked):
    """What a model made of a job's media file, to keep."""

    job_id: UUID
    analysis_type: ShortText
    summary: str | None = None
    detailed_analysis: JsonObject | None = None
    confidence_score: Share | None = None
    model_used: Annotated[str, StringConstraints(max_length=100)] | None = None
    prompt_used: str | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None


class JobResponse(_Answered):
    """A job. Times are UTC."""

    id: UUID
    job_type: JobType
    status: JobStatus
    media_url: str
    prompt: str | None = None
    parameters: JsonObject | None = None
    result: JsonObject | None = None
    error: str | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    processing_time_ms: int | None = None


class MediaAssetResponse(_Answered):
    """A file of a job."""

    id: UUID
    job_id: UUID
    asset_type: str
    file_path: str
    file_size_bytes: int | None = None
    mime_type: str | None = None
    metadata: JsonObject | None = _metadata()
    created_at: AwareDatetime


class TranscriptionResponse(_Answered):
    """A transcription of a job."""

    id: UUID
    job_id: UUID
    provider: str
    text_content: str
    language: str | None = None
    confidence_score: float | None = None
    word_timestamps: list[JsonValue] | JsonObject | None = None
    metadata: JsonObject | None = _metadata()
    created_at: AwareDatetime


class AnalysisResultResponse(_Answered):
    """What a model made of a job's media file."""

    id: UUID
    job_id: UUID
    analysis_type: str
    summary: str | None = None
    detailed_analysis: JsonObject | None = None
    confidence_score: float | None = None
    model_used: str | None = None
    prompt_used: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    created_at: AwareDatetime
