"""The three actions and their configs. The work is done in modules that are loaded when used."""

from abc import ABC
from typing import Self

from pydantic import Field, JsonValue, model_validator

from mediahost import Analyzer, Context, MediaAnalysisResult, MediaFile
from mediahost_llm.endpoint import VARIABLES, check_model, default_model, is_local

# What fits beside an answer into the context of the small model, and what any API takes.
_LOCAL_INPUT, _API_INPUT = 1000, 12_000

_SUMMARY = (
    "Summarise the text in two or three sentences, in its own language. Say what it says, not "
    "that it is a text."
)
_CHAPTERS = (
    "Divide the transcript into chapters where its subject changes. Each line begins with its "
    "number. Give the number of the first line of each chapter, and a title of a few words."
)


class Asking(Analyzer, ABC, variables=VARIABLES):
    """What all three have in common."""

    model: str = Field(
        default_factory=default_model,
        description="Name of the model at the API, or the path of a .gguf file; "
        "unless given, MEDIAHOST_LLM_MODEL, else smollm2-135m on this machine",
    )
    temperature: float | None = Field(
        0, ge=0, le=2, description="0 for the likeliest answer; None: as the model has it"
    )
    max_input_tokens: int | None = Field(
        None,
        ge=100,
        le=2_000_000,
        description="Text of one question, in tokens; longer text is asked about in parts. "
        "None: 1,000 on this machine, else 12,000",
    )
    max_output_tokens: int = Field(
        400, ge=16, le=100_000, description="Length of an answer, in tokens"
    )
    max_total_tokens: int = Field(
        200_000, ge=100, description="What a file may cost in all, in tokens in and out"
    )

    def preflight(self) -> None:
        """See that the model can be asked.

        Raises:
            NoModel: It can't.
        """
        check_model(self.model)

    @property
    def input_tokens(self) -> int:
        """The tokens of text in one question."""
        return self.max_input_tokens or (_LOCAL_INPUT if is_local(self.model) else _API_INPUT)


class Summarize(Asking, name="llm.summarize", version=1, pool="network", max_inflight=4):
    """Summarise what a step before has transcribed or read.

    A long text is summarised in parts, and the summaries again. The analysis has the summary, and
    `key_points` in its details.

    Metadata: `model`, `requests` (how often it was asked), `parts` (of the text), `input_tokens`,
    `output_tokens`.
    """

    prompt: str = Field(_SUMMARY, min_length=1, description="What the model is told to do")
    key_points: int = Field(3, ge=0, le=20, description="How many key points to give at most")

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Ask for a summary.

        Raises:
            InvalidMedia: No step before gives text.
            NoModel, OverBudget, BadAnswer: As their names say.
            TransientError: The API doesn't answer, or asks for patience.
        """
        from mediahost_llm.summarize import summarize  # noqa: PLC0415 - pay only when used

        return summarize(self, media, context)


class Analyze(Asking, name="llm.analyze", version=1, pool="network", max_inflight=4):
    """Put a question about a file to a model: its transcript or pages, its pictures.

    It reads the text of the steps before, and looks at the pictures that they made, and at the
    file if it is one. With `answer_schema` the answer is JSON that was checked, in the details of
    the analysis; without, it is the summary of the analysis.

    Metadata: `model`, `requests`, `parts`, `pictures` (how many it was shown), `input_tokens`,
    `output_tokens`.
    """

    prompt: str = Field(min_length=1, description="What the model is asked")
    answer_schema: dict[str, JsonValue] | None = Field(
        None, description="JSON schema of the answer; None: it is text"
    )
    max_pictures: int = Field(8, ge=0, le=100, description="How many pictures it is shown at most")

    @model_validator(mode="after")
    def _the_schema_is_one(self) -> Self:
        if self.answer_schema is not None:
            import jsonschema  # noqa: PLC0415 - pay only when used

            try:
                jsonschema.Draft202012Validator.check_schema(self.answer_schema)
            except jsonschema.SchemaError as error:
                raise ValueError(f"answer_schema is no JSON schema: {error.message}") from None
        return self

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Ask it.

        Raises:
            InvalidMedia: There is neither text nor a picture.
            NoModel, OverBudget, BadAnswer: As their names say.
            TransientError: The API doesn't answer, or asks for patience.
        """
        from mediahost_llm.analyze import analyze  # noqa: PLC0415 - pay only when used

        return analyze(self, media, context)


class Chapters(
    Asking,
    name="llm.chapters",
    version=1,
    accepts={"audio", "video"},
    pool="network",
    max_inflight=4,
):
    """Find chapters with titles in what a step before has transcribed: ranges labelled `chapter`.

    They follow each other without a gap, from the first word to the last; each range's payload has
    its `title`.

    Metadata: `chapters` (how many), `model`, `requests`, `parts`, `input_tokens`, `output_tokens`.
    """

    prompt: str = Field(_CHAPTERS, min_length=1, description="What the model is told to do")
    min_chapter_s: float = Field(
        20, ge=0, le=3600, description="Shorter chapters join the one before, in seconds"
    )

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Ask where chapters begin.

        Raises:
            InvalidMedia: No step before gives text with times.
            NoModel, OverBudget, BadAnswer: As their names say.
            TransientError: The API doesn't answer, or asks for patience.
        """
        from mediahost_llm.chapters import chapters  # noqa: PLC0415 - pay only when used

        return chapters(self, media, context)
