"""Time ranges: where in a recording something is."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

JsonObject = dict[str, JsonValue]


class TimeRange(BaseModel):
    """A stretch of time `[start, end)`, in seconds from the beginning of the media file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    start: float = Field(ge=0, description="Seconds from the beginning, included")
    end: float = Field(ge=0, description="Seconds from the beginning, not included")
    label: str = Field("segment", min_length=1, description="What is there: speech, scene, beat")
    confidence: float | None = Field(None, ge=0, le=1, description="0 to 1, or None if unknown")
    payload: JsonObject = Field(default_factory=dict, description="Anything else, as JSON")

    @model_validator(mode="after")
    def _end_is_not_before_start(self) -> Self:
        if self.end < self.start:
            raise ValueError(
                f"a time range can't end ({self.end} s) before it starts ({self.start} s)"
            )
        return self

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start
