"""A worker is not believed: whatever it answers ends its own attempt, once, with one sentence."""

import json
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediahost.executor.answers import answer_of, ended_from_json
from mediahost.executor.frames import BadFrame, FrameReader
from mediahost.executor.local import LocalExecutor
from mediahost.model.job import Outcome, Token, new_job_id
from tests.contracts.executors.liar import LEFT_OUT, TRUTH

LIAR = str(Path(__file__).with_name("liar.py"))
BROKEN = "The worker broke its protocol while running faults.lie: "
NO_FAILURE = {"message": "m", "hint": None, "transient": False, "traceback": ""}
FAILED = {"outcome": "error", "result": None, "result_hash": None}

LIES: list[dict[str, Any]] = [
    {"elapsed_ms": "abc"},
    {"elapsed_ms": None},
    {"elapsed_ms": 1e300},
    {"elapsed_ms": 10**15},
    {"elapsed_ms": -5},
    {"elapsed_ms": [1]},
    {"elapsed_ms": True},
    {"result_hash": 5},
    {"result_hash": "x"},
    {"result_hash": "blake3:"},
    {"result_hash": None},
    {"result_hash": "sha256:" + "0" * 64},
    {"outcome": "error"},
    {"outcome": "nonsense"},
    {"outcome": "lost"},
    {"outcome": "timeout"},
    {"outcome": "crashed"},
    {"outcome": "changed"},
    {**FAILED, "failure": {"message": 5}},
    {**FAILED, "failure": []},
    {**FAILED, "failure": {**NO_FAILURE, "message": None}},
    {**FAILED, "failure": {**NO_FAILURE, "hint": {}}},
    {**FAILED, "failure": {**NO_FAILURE, "transient": "yes"}},
    {**FAILED, "failure": {**NO_FAILURE, "more": 1}},
    {"failure": NO_FAILURE},
    {"result": None},
    {"result": 5},
    {"result": "x" * 1000},
    {"result": '{"kind":"analysis","metadata":{"a":' + "[" * 300 + "]" * 300 + "}}"},
    {"result": "[" * 100_000},
    {"result": '{"kind":"analysis","ranges":[{"start":1e400,"end":2,"label":"x"}]}'},
    {"result": '{"kind":"other"}'},
    {"warm": 5},
    {"warm": [[1]]},
    {"warm": [{"a": 1}]},
    {"warm": ["x"] * 2000},
    {"kind": "progress", "at": "x", "message": 5},
    {"kind": "progress"},
    {"kind": "ready"},
    {"kind": "returned", "after": "a", "upto": "b"},
    {"kind": "nothing\x1b[31m"},
    {"kind": LEFT_OUT},
    {"kind": []},
    {"n": "x"},
    {"n": -1},
    {"n": 10**6},
    {"n": 1e300},
    {"spent": "yes"},
    {"interrupted": 7},
    {"unknown": 1},
]


def framed(body: bytes) -> str:
    return (struct.pack(">I", len(body)) + body).hex()


ONLY = [
    {"kind": "progress", "n": 1, "at": 1e308, "message": "x"},
    {"kind": "progress", "n": 1, "at": None, "message": None},
    {"kind": "progress", "n": 1, "at": -0.1, "message": "x"},
    {"kind": "progress", "n": 99, "at": 0.1, "message": "x"},
    {"kind": "returned", "after": 0, "upto": 99},
    {"kind": "returned", "after": 0, "upto": 1},
    {"kind": "returned", "after": -1, "upto": 10**30},
    {"kind": "ready"},
]
RAW = [
    *(framed(json.dumps(one).encode()) for one in ONLY),
    *(framed(body) for body in (b"5", b"[]", b'"x"', b"null", b"{}", b"[" * 100_000, b"\xff\xfe")),
    "ffffffff",
    "00000000",
    "0000000400",
    "0000000a7b7d",
    "04000001" + "20" * 100,
]


@pytest.fixture(params=["local", "shared"])
def lying_rig(request: pytest.FixtureRequest, rig: Any, faults: str) -> Any:
    """A worker with the liar in it."""
    rig.shared = request.param == "shared"
    rig.start(LocalExecutor(1, plugins=[faults, LIAR], grace_s=0.2))
    return rig


def test_each_lie_ends_its_attempt_with_one_sentence(lying_rig: Any) -> None:
    lies = [{"members": lie} for lie in LIES] + [{"raw": raw} for raw in RAW]
    # Each costs a worker: of those that share a process a sample will do.
    for lie in lies[::5] if lying_rig.shared else lies:
        spec = lying_rig.submit("lie", timeout_s=20, **lie)
        (ended,) = lying_rig.ends(spec)
        assert ended.outcome is Outcome.CRASHED, (lie, ended)
        assert ended.failure.message.startswith(BROKEN), (lie, ended)
        assert ended.failure.message.isprintable()
        assert ended.failure.message.count(".list") <= 1, "where it is, not how deep"
        assert ": :" not in ended.failure.message
        assert len(ended.failure.message) < 1500
    assert lying_rig.end(lying_rig.submit("fine")).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("members", "outcome"),
    [
        ({}, Outcome.OK),
        # Well-formed and wrong: docs/security.md says what comes of it.
        ({"result_hash": "blake3:" + "0" * 64}, Outcome.OK),
        ({**FAILED, "failure": {**NO_FAILURE, "message": "x\x1b[31m\0y"}}, Outcome.ERROR),
        ({**FAILED, "failure": {**NO_FAILURE, "message": "\udcff" * 9999}}, Outcome.ERROR),
        ({"kind": "progress", "at": 0.5, "message": "x"}, Outcome.CRASHED),
    ],
)
def test_what_a_worker_may_say_is_believed_once(
    lying_rig: Any, members: dict[str, Any], outcome: Outcome
) -> None:
    ended = lying_rig.end(lying_rig.submit("lie", timeout_s=20, members=members))
    assert ended.outcome is outcome
    if ended.failure:
        assert len(ended.failure.message) <= 2000
    assert lying_rig.end(lying_rig.submit("fine")).outcome is Outcome.OK


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
KINDS = ("ready", "returned", "progress", "log", "ended")
near_answers = st.builds(
    lambda truth, changed, dropped: {
        key: value for key, value in {**truth, **changed}.items() if key not in dropped
    },
    st.just({**TRUTH, "n": 1}),
    st.dictionaries(
        st.sampled_from([*TRUTH, "n", "at", "message", "text", "after", "upto"]),
        json_values | st.sampled_from(KINDS),
        max_size=4,
    ),
    st.sets(st.sampled_from([*TRUTH, "n"]), max_size=4),
)


@given(json_values | near_answers)
def test_any_message_is_an_answer_or_refused(message: Any) -> None:
    for read in (answer_of, lambda data: ended_from_json(Token(new_job_id(), 1), data)):
        with suppress(BadFrame):
            read(message)


@given(st.lists(st.binary(max_size=64), max_size=5))
def test_any_bytes_are_messages_or_refused(pieces: list[bytes]) -> None:
    reader = FrameReader()
    with suppress(BadFrame):
        for piece in pieces:
            # Short lengths are likely, so that bodies are reached.
            reader.feed(struct.pack(">I", len(piece) % 9) + piece)
