"""Results: what an action returned, kept under its key."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, from_json

from mediahost.model.completeness import COMPLETE, Completeness, is_complete
from mediahost.model.ranges import JsonObject, TimeRange


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Word(_Value):
    """One spoken word."""

    text: str
    start: float = Field(ge=0, description="Seconds")
    end: float = Field(ge=0, description="Seconds")
    probability: float | None = Field(None, ge=0, le=1)


Timed = TypeVar("Timed", TimeRange, Word)


class Transcription(_Value):
    """What was said; it fills a row of the table `transcriptions`."""

    provider: str = Field(max_length=50, description="What transcribed it, such as faster-whisper")
    text: str
    language: str | None = Field(None, max_length=10)
    confidence: float | None = Field(None, ge=0, le=1)
    words: tuple[Word, ...] = ()
    metadata: JsonObject = Field(default_factory=dict)


class Analysis(_Value):
    """What a model made of it; it fills a row of the table `analysis_results`."""

    analysis_type: str = Field(max_length=50, description="Such as summary")
    summary: str | None = None
    detailed: JsonObject | None = None
    confidence: float | None = Field(None, ge=0, le=1)
    model: str | None = Field(None, max_length=100)
    prompt: str | None = None
    input_tokens: int | None = Field(None, ge=0)
    output_tokens: int | None = Field(None, ge=0)


class Artifact(_Value):
    """A file that a processor made.

    An author gives the path, inside `context.workdir`, and what the file is; the host fills in
    size and hash.
    """

    path: Path
    asset_type: str = Field(max_length=50, description="audio, video, frame, contact_sheet...")
    mime_type: str | None = Field(None, max_length=100, description="From the suffix if None")
    size: int | None = Field(None, ge=0, description="Bytes")
    file_hash: str | None = Field(None, description="algo:hexdigest")
    metadata: JsonObject = Field(default_factory=dict)


def _completeness() -> Any:
    # Left out of the JSON of complete results, so that their hashes stay what they were before
    # there was this field.
    return Field(COMPLETE, exclude_if=is_complete, description="What is missing, if anything is")


class MediaAnalysisResult(_Value):
    """What an analyzer found."""

    kind: Literal["analysis"] = "analysis"
    ranges: tuple[TimeRange, ...] = ()
    metadata: JsonObject = Field(default_factory=dict)
    transcription: Transcription | None = None
    analysis: Analysis | None = None
    completeness: Completeness = _completeness()

    def moved(self, by_s: float) -> Self:
        """The same for a recording that this one begins in, so many seconds after its start."""
        said = self.transcription
        return self.model_copy(
            update={
                "ranges": tuple(_moved(at, by_s) for at in self.ranges),
                "transcription": said
                and said.model_copy(update={"words": tuple(_moved(at, by_s) for at in said.words)}),
            }
        )


class MediaProcessingResult(_Value):
    """What a processor made."""

    kind: Literal["processing"] = "processing"
    artifacts: tuple[Artifact, ...] = Field(min_length=1)
    metadata: JsonObject = Field(default_factory=dict)
    completeness: Completeness = _completeness()

    @property
    def begins_s(self) -> float:
        """Where its files begin in the source, in seconds: what its metadata calls `start`."""
        start = self.metadata.get("start")
        return float(start) if isinstance(start, int | float) else 0.0


def _moved(at: Timed, by_s: float) -> Timed:
    return at.model_copy(update={"start": at.start + by_s, "end": at.end + by_s})


Result = MediaAnalysisResult | MediaProcessingResult

_RESULT: TypeAdapter[Result] = TypeAdapter(Annotated[Result, Field(discriminator="kind")])


def result_from_json(data: Any) -> Result:
    """The result that `result.model_dump(mode="json")` gave.

    Raises:
        pydantic.ValidationError: The data is no result.
    """
    return _RESULT.validate_python(data, strict=False)


def result_to_text(result: Result) -> bytes:
    """JSON, of a result whose numbers are all finite."""
    try:
        return result.__pydantic_serializer__.to_json(result)
    except PydanticSerializationError:
        # A lone surrogate in a text: not UTF-8, but JSON can spell it.
        return json.dumps(result.model_dump(mode="json")).encode()


def result_from_text(text: bytes) -> Result:
    """The result that `result_to_text` spelled.

    Raises:
        pydantic.ValidationError: It is no result.
        ValueError: The same.
    """
    if b"NaN" in text or b"Infinity" in text:
        # Words, or numbers that JSON has no word for: the parser can tell.
        from_json(text, allow_inf_nan=False)
    try:
        # As `validate_json` of the adapter does, without its twelve options.
        result: Result = _RESULT.validator.validate_json(text)
    except ValidationError as error:
        if error.errors(include_url=False, include_input=False)[0]["type"] != "json_invalid":
            raise
    else:
        return result
    # It may hold a lone surrogate, which only the standard library takes.
    return result_from_json(json.loads(text))
