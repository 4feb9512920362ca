"""Retries, time limits, the budget and answers that don't fit, with an API that is told what to do.

The actions are run whole, over real HTTP.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mediahost import InvalidMedia, JobCancelled, MediaAnalysisResult, TransientError
from mediahost.errors import MediahostError
from mediahost.testing import ActionRun, run_action
from mediahost_llm import Summarize, asking
from mediahost_llm.asking import BadAnswer, OverBudget
from mediahost_llm.endpoint import NoModel, remote_endpoint

Said = Callable[..., MediaAnalysisResult]
GOOD = json.dumps({"summary": "All is well.", "key_points": ["It is."]})


@pytest.fixture
def summary(talk: Path, said: Said) -> Callable[..., ActionRun]:
    """`llm.summarize` on a sentence."""

    def run(cancel_after: int | None = None, **config: Any) -> ActionRun:
        inputs = {"speech.transcribe": said("It was the best of times.")}
        return run_action(Summarize(**config), talk, inputs=inputs, cancel_after=cancel_after)

    return run


@pytest.mark.parametrize("status", [429, 500, 502, 503, 408])
def test_what_passes_is_asked_again(status: int, api: Any, summary: Any, reply: Any) -> None:
    api.replies = [reply(status=status), reply(status=status), reply(GOOD)]
    run = summary()
    assert len(api.requests) == 3
    assert run.analysis.summary == "All is well."
    assert sum(f"answers {status}; again in" in line for line in run.log) == 2


def test_a_server_that_asks_for_patience_gets_it(api: Any, summary: Any, reply: Any) -> None:
    api.replies = [reply(status=429, headers={"retry-after": "1"}), reply(GOOD)]
    began = time.monotonic()
    summary()
    assert time.monotonic() - began >= 1


def test_a_server_that_asks_for_too_much_patience_is_left_to_a_later_attempt(
    api: Any, summary: Any, reply: Any
) -> None:
    api.replies = [reply(status=429, headers={"retry-after": "3600"})]
    with pytest.raises(TransientError, match="fake-1 answers 429, after 1 tries"):
        summary()


def test_what_does_not_pass_in_time_is_for_a_later_attempt(
    api: Any, summary: Any, reply: Any
) -> None:
    api.replies = [reply(status=503)]
    with pytest.raises(TransientError, match="fake-1 answers 503, after 6 tries"):
        summary()
    assert len(api.requests) == asking.TRIES


@pytest.mark.parametrize(
    ("status", "hint"),
    [(401, "MEDIAHOST_LLM_API_KEY"), (404, "often ends in /v1"), (400, None)],
)
def test_a_refusal_is_told_and_not_tried_again(
    status: int, hint: str | None, api: Any, summary: Any, reply: Any
) -> None:
    api.replies = [reply(status=status, error={"message": "Not you."})]
    with pytest.raises(MediahostError, match=rf"refuses \({status}\): Not you") as caught:
        summary()
    assert not isinstance(caught.value, TransientError)
    assert (hint or "") in (caught.value.hint or "")
    assert len(api.requests) == 1


def test_spent_money_does_not_come_back_by_waiting(api: Any, summary: Any, reply: Any) -> None:
    error = {"message": "You exceeded your quota", "code": "insufficient_quota"}
    api.replies = [reply(status=429, error=error)]
    with pytest.raises(MediahostError, match="exceeded your quota") as caught:
        summary()
    assert not isinstance(caught.value, TransientError)


def test_no_answer_in_time_is_asked_again(
    api: Any, summary: Any, reply: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIAHOST_LLM_TIMEOUT_S", "0.3")
    monkeypatch.setattr(asking, "TRIES", 2)
    never = threading.Event()
    api.replies = [reply(held_until=never)]
    with pytest.raises(TransientError, match=r"gave no answer in 0\.3 s, after 2 tries"):
        summary()
    never.set()


def test_an_api_that_is_not_there_is_for_a_later_attempt(
    summary: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIAHOST_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("MEDIAHOST_LLM_MODEL", "fake-1")
    monkeypatch.setattr(asking, "TRIES", 2)
    monkeypatch.setattr(asking, "BACKOFF_FIRST_S", 0.01)
    with pytest.raises(TransientError, match="can't be reached"):
        summary()


def test_a_cancel_does_not_wait_for_the_answer(api: Any, summary: Any, reply: Any) -> None:
    never = threading.Event()
    api.replies = [reply(held_until=never)]
    try:
        with pytest.raises(JobCancelled):
            summary(cancel_after=4)
        assert not never.is_set()
    finally:
        never.set()


def test_the_budget_is_kept_before_anything_is_asked(api: Any, summary: Any, reply: Any) -> None:
    api.replies = [reply(GOOD)]
    with pytest.raises(OverBudget, match=r"after 0 of 100 there are only 100 left"):
        summary(max_total_tokens=100)
    assert api.requests == []


def test_the_budget_counts_what_was_used(api: Any, talk: Path, said: Said, reply: Any) -> None:
    # An answer of the fake counts for 110 tokens; a question is expected to take 161.
    api.replies = [reply(GOOD)]
    action = Summarize(max_input_tokens=100, max_output_tokens=16, max_total_tokens=330)
    with pytest.raises(OverBudget, match="after 220 of 330"):
        run_action(action, talk, inputs={"t": said(*["A sentence of some length." * 9] * 4)})
    assert len(api.requests) == 2


def test_an_answer_that_does_not_fit_is_asked_for_once_more(
    api: Any, summary: Any, reply: Any
) -> None:
    api.replies = [reply('{"summary": 5}'), reply(GOOD)]
    run = summary()
    assert run.analysis.summary == "All is well."
    assert "there is no text named summary" in api.requests[1]["messages"][-1]["content"]
    assert (run.metadata["input_tokens"], run.metadata["output_tokens"]) == (200, 20)


def test_an_answer_that_never_fits_fails_the_job(api: Any, summary: Any, reply: Any) -> None:
    api.replies = [reply("Sure! Here is your JSON.")]
    with pytest.raises(BadAnswer, match="fake-1 didn't answer as it was asked to"):
        summary()
    assert len(api.requests) == 2


def test_an_answer_that_was_cut_off_may_be_longer(api: Any, summary: Any, reply: Any) -> None:
    api.replies = [reply('{"summary": "All is', finish="length"), reply(GOOD)]
    summary(max_output_tokens=50)
    assert [request["max_tokens"] for request in api.requests] == [50, 200]


def test_a_model_that_knows_the_limit_by_another_name_gets_that(
    api: Any, summary: Any, reply: Any
) -> None:
    error = {"message": "Use 'max_completion_tokens' instead."}
    api.replies = [reply(status=400, error=error), reply(GOOD)]
    summary(max_output_tokens=50)
    assert api.requests[1]["max_completion_tokens"] == 50
    assert "max_tokens" not in api.requests[1]


def test_the_key_goes_to_the_api_and_nowhere_else(
    api: Any, summary: Any, reply: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api.replies = [reply(status=500), reply(GOOD)]
    run = summary()
    assert api.keys == ["Bearer sk-very-secret"] * 2
    for told in (run.result.model_dump_json(), str(run.action.public_config()), *run.log):
        assert "sk-very-secret" not in told
    assert "sk-very-secret" not in caplog.text
    assert "secret" not in repr(remote_endpoint())


def test_the_answer_is_asked_for_by_a_schema(api: Any, summary: Any, reply: Any) -> None:
    api.replies = [reply(GOOD)]
    summary(prompt="In verse, please.")
    (request,) = api.requests
    assert request["response_format"]["type"] == "json_schema"
    assert request["response_format"]["json_schema"]["schema"]["required"] == [
        "summary",
        "key_points",
    ]
    assert (request["model"], request["temperature"]) == ("fake-1", 0)
    assert "In verse, please." in request["messages"][1]["content"]
    assert "It was the best of times." in request["messages"][1]["content"]


def test_an_api_without_a_model_is_told(
    api: Any, summary: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEDIAHOST_LLM_MODEL")
    with pytest.raises(NoModel, match="No language model is named"):
        summary()


def test_a_file_that_nobody_has_read_is_refused(api: Any, talk: Path) -> None:
    with pytest.raises(InvalidMedia, match="No step before has given the text"):
        run_action(Summarize(), talk)


def test_silence_costs_nothing(api: Any, talk: Path, said: Said) -> None:
    run = run_action(Summarize(), talk, inputs={"t": said()})
    run.assert_metadata(requests=0, input_tokens=0, output_tokens=0)
    assert api.requests == []
