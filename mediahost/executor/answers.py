"""Answers: what a worker tells its host, checked at the host's door.

A worker runs strangers' code, which can write whatever it likes to the worker's sockets. What is
not of these types, or not within these bounds, is no answer: its attempt ends with one sentence.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from mediahost.executor.frames import BadFrame
from mediahost.executor.workbench import MESSAGE_CHARS, TRACEBACK_CHARS
from mediahost.hashing import Algorithm
from mediahost.model.faults import words_of
from mediahost.model.job import Failure, Outcome, Token
from mediahost.model.result import Result, result_from_text
from mediahost.ports import Ended

# Names of resources are for people; these many are kept loaded by no worker.
_MOST_NAMES = 1_000
_NAME_CHARS = 1_000
# Where in an answer a fault is: enough to find it, however deep it lies.
_PLACE_NAMES, _PLACE_CHARS = 3, 50
# Thirty years: more is no time that an attempt took, and no integer of a database.
_LONGEST_MS = 10**12
_MOST_ATTEMPTS = 2**53


def _is_text(value: object) -> str:
    # pydantic's own check refuses lone surrogates, which names of files may have.
    if not isinstance(value, str):
        raise ValueError("it should be text")  # noqa: TRY004 - as pydantic wants it
    return value


Text = Annotated[str, PlainValidator(_is_text)]
Name = Annotated[str, PlainValidator(lambda value: _is_text(value)[:_NAME_CHARS])]
Number = Annotated[int, Field(ge=1, le=_MOST_ATTEMPTS)]
Count = Annotated[int, Field(ge=0, le=_MOST_ATTEMPTS)]


class _Told(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class FailureTold(_Told):
    """Why an attempt gave no result."""

    message: Text
    hint: Text | None
    transient: bool
    traceback: Text

    def short(self) -> Failure:
        """The same as the host has it, as long as a worker makes it."""
        return Failure(
            self.message[:MESSAGE_CHARS],
            self.hint and self.hint[:MESSAGE_CHARS],
            self.transient,
            self.traceback[-TRACEBACK_CHARS:],
        )


class EndTold(_Told):
    """How an attempt ended."""

    outcome: Literal[
        "ok", "error", "crashed", "oom", "timeout", "cancelled", "lost", "changed", "unavailable"
    ]
    result: Text | None
    result_hash: Annotated[str, Field(pattern=r"^(blake3|sha256):[0-9a-f]{64}$")] | None
    failure: FailureTold | None
    elapsed_ms: Annotated[int, Field(ge=0, le=_LONGEST_MS)]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.outcome == "ok") != (self.result is not None):
            raise ValueError("only an attempt that ended well has a result")
        if (self.outcome == "ok") == (self.failure is not None):
            raise ValueError("only an attempt that did not end well has a failure")
        return self

    def ended(self, token: Token) -> Ended:
        """The same as the host has it.

        Raises:
            BadFrame: The result is none.
        """
        return Ended(
            token,
            Outcome(self.outcome),
            None if self.result is None else _result(self.result),
            None if self.failure is None else self.failure.short(),
            self.elapsed_ms,
            self.result_hash,
        )


def _result(text: str) -> Result:
    try:
        return result_from_text(text.encode())
    except ValidationError as error:
        raise BadFrame(_reason(error)) from None
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"result: {error}") from None


class Ready(_Told):
    """The worker has loaded its plugins."""

    kind: Literal["ready"]


class Returned(_Told):
    """It will not run the attempts after one number up to another."""

    kind: Literal["returned"]
    after: Count
    upto: Count


class Progressed(_Told):
    """How far an attempt is, from 0 to 1."""

    kind: Literal["progress"]
    n: Number
    at: Annotated[float, Field(ge=0, le=1)]
    message: Text


class Logged(_Told):
    """Lines of an attempt's log."""

    kind: Literal["log"]
    n: Number
    text: Text


class AttemptEnded(EndTold):
    """How the attempt of this number ended, and how that leaves the worker."""

    kind: Literal["ended"]
    n: Number
    # What only what watches a worker can know, such as a crash, no worker may claim.
    outcome: Literal["ok", "error", "oom", "cancelled", "unavailable"]
    warm: Annotated[list[Name], Field(max_length=_MOST_NAMES)]
    spent: bool
    interrupted: bool = False


class SiteAnswer(_Told):
    """How an attempt ended on another machine, and where its files are in the exchange."""

    run: Text
    log: bool
    warm: bool
    ended: dict[str, Any]

    def run_of(self, key: str) -> str:
        """Name of the run's folder in the exchange, where it is one of the attempt's.

        Raises:
            BadFrame: It is not.
        """
        if not re.fullmatch(rf"{re.escape(key)}\.[0-9a-f]{{8}}", self.run):
            raise BadFrame("run: it is none of this attempt")
        return self.run


def place_in_run(path: Path, run: str) -> Path:
    """Where an artifact is in its run's folder.

    Raises:
        BadFrame: It is elsewhere.
    """
    first, *rest = path.parts or ("",)
    if first != run or not rest or ".." in rest:
        raise BadFrame("artifacts: a file lies outside the run's folder")
    return Path(*rest)


Answer = Ready | Returned | Progressed | Logged | AttemptEnded

_ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])


def answer_of(message: Any) -> Answer:
    """A message of a worker, checked.

    Raises:
        BadFrame: It is nothing that a worker says.
    """
    try:
        return _ANSWER.validator.validate_python(message)  # type: ignore[no-any-return]
    except ValidationError as error:
        raise BadFrame(_reason(error)) from None


def ended_from_json(token: Token, data: Any) -> Ended:
    """What `ended_to_json` gave, of the attempt with this token.

    Raises:
        BadFrame: It is nothing that `ended_to_json` gives.
    """
    try:
        return EndTold.model_validate(data).ended(token)
    except ValidationError as error:
        raise BadFrame(_reason(error)) from None


def check_hash(ended: Ended, algorithm: Algorithm) -> None:
    """See that the hash of a result is one of the store's.

    Raises:
        BadFrame: It is missing, or of another algorithm.
    """
    if ended.result is not None and not (ended.result_hash or "").startswith(f"{algorithm}:"):
        raise BadFrame(f"result_hash: it should be one by {algorithm}")


def _reason(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    # The first part says which kind of answer it is; a stranger's words are not repeated.
    names = [part for part in fault["loc"] if isinstance(part, str)]
    place = ".".join(names[:_PLACE_NAMES])[:_PLACE_CHARS] or "answer"
    return f"{place}: {words_of(fault)}"[:_NAME_CHARS]
