"""Asking a model: retries, back-off, time limits, the budget of tokens, answers that fit."""

import json
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mediahost import Context, TransientError
from mediahost.errors import MediahostError
from mediahost_llm.endpoint import Endpoint, NoModel, is_local, remote_endpoint
from mediahost_llm.local import load_local
from mediahost_llm.material import tokens_of

T = TypeVar("T")

TRIES = 6
BACKOFF_FIRST_S = 0.5
BACKOFF_LONGEST_S = 30.0
# A server that asks for more patience than this is asked again by a later attempt at the job.
PATIENCE_S = 120.0
POLL_S = 0.1

_AGAIN = frozenset({408, 409, 425, 429})
_SERVER_ERROR = 500
_SPENT = "insufficient_quota"
_TOKENS_OF_A_PICTURE = 1500  # what APIs count for one of 1024 pixels, at most
_LONGER = 4  # an answer that was cut off may have so many times the tokens

Message = Mapping[str, Any]


class OverBudget(MediahostError):
    """The next question would cost more tokens than the job may spend."""


class BadAnswer(MediahostError):
    """The model's answer is not what was asked for, twice."""


@dataclass
class Spent:
    """Tokens that a job has used."""

    most: int
    input: int = 0
    output: int = 0
    requests: int = 0

    def check(self, expected: int) -> None:
        """See that so many tokens more are within the budget.

        Raises:
            OverBudget: They are not.
        """
        used = self.input + self.output
        if used + expected > self.most:
            raise OverBudget(
                f"The next question may take {expected:,} tokens, but after {used:,} of "
                f"{self.most:,} there are only {max(self.most - used, 0):,} left",
                "Raise max_total_tokens, or give it less to read.",
            )


@dataclass
class Model:
    """A language model as a job asks it.

    Attributes:
        name: Its name.
        context: The job's.
        endpoint: Where it answers.
        spent: What the job has used so far.
        temperature: 0 for the likeliest answer; None: as the model has it.
    """

    name: str
    context: Context
    endpoint: Endpoint
    spent: Spent
    temperature: float | None = 0.0
    _client: Any = field(default=None, repr=False)
    _limit_name: str = field(default="max_tokens", repr=False)

    @classmethod
    def of(cls, name: str, context: Context, budget: int, temperature: float | None) -> "Model":
        """The model of that name, here or behind the API of the environment.

        Raises:
            NoModel: There is none.
        """
        if not name:
            raise NoModel(
                "No language model is named", "Set MEDIAHOST_LLM_MODEL, or the config model."
            )
        if is_local(name):
            local = context.resource(load_local, name, context.threads)
            endpoint = Endpoint(local.base_url, None, 600.0)
        else:
            endpoint = remote_endpoint()
        return cls(name, context, endpoint, Spent(budget), temperature)

    def text(self, messages: Sequence[Message], most_tokens: int) -> str:
        """An answer in words; one that is too long ends early.

        Raises:
            OverBudget: It would cost too much.
            TransientError: The API doesn't answer, or asks for patience.
            MediahostError: The API refuses.
        """
        return self._ask(messages, most_tokens, None)[0].strip()

    def answer(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any],
        check: Callable[[Any], T],
        most_tokens: int,
    ) -> T:
        """An answer as JSON by a schema, checked; asked once more if it doesn't fit.

        Args:
            messages: The question.
            schema: JSON schema that the API is asked to keep to.
            check: Makes a value of the JSON; raises ValueError if it is not what was asked for.
            most_tokens: How long the answer may be; one that was cut off may be longer.

        Raises:
            BadAnswer: It doesn't fit twice.
            OverBudget, TransientError, MediahostError: As of `text`.
        """
        asked = list(messages)
        fault = ""
        for most in (most_tokens, most_tokens * _LONGER):
            content, was_cut = self._ask(asked, most, schema)
            if was_cut:
                fault = f"it was cut off after {most} tokens"
                continue
            try:
                return check(json.loads(content))
            except ValueError as error:
                fault = " ".join(str(error).split())
                self.context.log.warning("An answer doesn't fit (%s): %s", fault, content)
                asked = [
                    *messages,
                    {"role": "assistant", "content": content},
                    {"role": "user", "content": f"That doesn't fit: {fault}. Answer again."},
                ]
        raise BadAnswer(
            f"{self.name} didn't answer as it was asked to: {fault}",
            "Its answers are in the job's log; try another model or a longer max_output_tokens.",
        )

    def _ask(
        self, messages: Sequence[Message], most: int, schema: Mapping[str, Any] | None
    ) -> tuple[str, bool]:
        """An answer, and whether it was cut off."""
        self.spent.check(_expected(messages) + most)
        given: dict[str, Any] = {"model": self.name, "messages": list(messages), "seed": 0}
        if self.temperature is not None:
            given["temperature"] = self.temperature
        if schema is not None:
            named = {"name": "answer", "strict": True, "schema": dict(schema)}
            given["response_format"] = {"type": "json_schema", "json_schema": named}
        reply = self._patiently(given, most)
        self.spent.requests += 1
        if reply.usage is not None:
            self.spent.input += reply.usage.prompt_tokens
            self.spent.output += reply.usage.completion_tokens
        choice = reply.choices[0] if reply.choices else None
        content = (choice.message.content or "") if choice else ""
        if choice is None or not content.strip():
            raise TransientError(f"{self.name} gave an empty answer")
        return content, choice.finish_reason == "length"

    def _patiently(self, given: dict[str, Any], most: int) -> Any:
        """The reply, asked for again after what passes."""
        import openai  # noqa: PLC0415 - a second that listing plugins shall not cost

        waited = 0.0
        for tried in range(1, TRIES + 1):
            try:
                return self._cancellable({**given, self._limit_name: most})
            except openai.APIStatusError as error:
                if self._takes_another_name(error):
                    continue
                if not _may_pass(error):
                    raise _refused(self.name, error) from error
                reason, pause = f"answers {error.status_code}", _asked_pause(error.response.headers)
            except openai.APITimeoutError:
                reason, pause = f"gave no answer in {self.endpoint.timeout_s:g} s", None
            except openai.APIConnectionError as error:
                reason, pause = f"can't be reached: {error.__cause__ or error}", None
            except openai.OpenAIError as error:
                raise MediahostError(f"{self.name} can't be asked: {error}") from error
            wait_s = _back_off_s(tried) if pause is None else pause
            if tried == TRIES or waited + wait_s > PATIENCE_S:
                break
            self.context.log.warning("%s %s; again in %.1f s", self.name, reason, wait_s)
            self._wait(wait_s)
            waited += wait_s
        raise TransientError(
            f"{self.name} {reason}, after {tried} tries",
            "The API is overloaded, or its limit for you is reached; the job is tried again later.",
        )

    def _takes_another_name(self, error: Any) -> bool:
        """Newer models of some APIs know the limit under another name."""
        other = "max_completion_tokens"
        if error.status_code == 400 and other in str(error) and self._limit_name != other:  # noqa: PLR2004 - HTTP
            self._limit_name = other
            return True
        return False

    def _cancellable(self, given: dict[str, Any]) -> Any:
        """The reply to one request; a cancel doesn't wait for it."""
        client = self._connected()
        outcome: dict[str, Any] = {}

        def ask() -> None:
            try:
                outcome["reply"] = client.chat.completions.create(**given)
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                outcome["error"] = error

        # In this context what the SDK logs goes to this job's log.
        thread = threading.Thread(target=copy_context().run, args=(ask,), daemon=True)
        began = time.monotonic()
        thread.start()
        while thread.is_alive():
            self.context.checkpoint()
            thread.join(POLL_S)
        self.context.log.debug("%s took %.1f s", self.name, time.monotonic() - began)
        if "error" in outcome:
            raise outcome["error"]
        return outcome["reply"]

    def _connected(self) -> Any:
        if self._client is None:
            import openai  # noqa: PLC0415 - as above

            self._client = openai.OpenAI(
                base_url=self.endpoint.base_url,
                # The SDK wants one, also for APIs that don't.
                api_key=self.endpoint.api_key or "none",
                timeout=self.endpoint.timeout_s,
                max_retries=0,  # its own waits can't be cancelled
            )
        return self._client

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.context.checkpoint()
            time.sleep(min(left, POLL_S))


def _expected(messages: Sequence[Message]) -> int:
    """At most about so many tokens go in."""
    count = 0
    for message in messages:
        content = message["content"]
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        for part in parts:
            count += tokens_of(part["text"]) if part["type"] == "text" else _TOKENS_OF_A_PICTURE
    return count


def _may_pass(error: Any) -> bool:
    if error.code == _SPENT:
        return False
    return error.status_code in _AGAIN or error.status_code >= _SERVER_ERROR


def _asked_pause(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to wait, in seconds."""
    try:
        if "retry-after-ms" in headers:
            return max(float(headers["retry-after-ms"]) / 1000, 0.0)
        return max(float(headers["retry-after"]), 0.0)
    except (KeyError, ValueError):  # none, or a date: as long as without
        return None


def _back_off_s(tried: int) -> float:
    longest = min(BACKOFF_FIRST_S * 2.0 ** (tried - 1), BACKOFF_LONGEST_S)
    return longest / 2 + random.uniform(0, longest / 2)  # noqa: S311 - no secret


def _refused(name: str, error: Any) -> MediahostError:
    hints = {
        401: "Set MEDIAHOST_LLM_API_KEY to a key that the API knows.",
        403: "The key may not use this model.",
        404: "Is the model's name right, and MEDIAHOST_LLM_BASE_URL? It often ends in /v1.",
        413: "Lower max_input_tokens.",
    }
    body = error.body if isinstance(error.body, Mapping) else {}
    reason = " ".join(str(body.get("message") or error.message).split())
    return MediahostError(
        f"{name} refuses ({error.status_code}): {reason}", hints.get(error.status_code)
    )
