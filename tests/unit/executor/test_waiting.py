"""Whose turn it is among attempts that wait for a worker."""

from pathlib import Path
from uuid import uuid4

import pytest

from mediahost.executor.attempt import Attempt
from mediahost.executor.waiting import AHEAD_MOST, LOOK_AHEAD, PASSES_MOST, Waiting
from mediahost.model.job import Token
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.ports import AttemptSpec


def attempt(model: str) -> Attempt:
    media = MediaFile(Path("/a.wav"), MediaKind.AUDIO, "h")
    spec = AttemptSpec(Token(uuid4(), 1), "t.hear", {"model": model}, media, "/w", "/log")
    return Attempt(spec, b"")


def models(waiting: Waiting, kind: str, number: int) -> list[str]:
    """What a worker that is warm for one kind is given, one after the other."""
    given = []
    for _ in range(number):
        waiting.prefer({kind})
        (next_one,) = waiting.take(1)
        given.append(next_one.spec.config["model"])
    return given


def test_a_worker_is_given_what_it_is_warm_for() -> None:
    waiting = Waiting()
    one = attempt("tiny")
    for each in (attempt("base"), one, attempt("base"), attempt("tiny")):
        waiting.add([each])
    assert models(waiting, one.kind, 4) == ["tiny", "tiny", "base", "base"]


def test_the_one_whose_turn_it_is_is_passed_so_often_and_no_more() -> None:
    waiting = Waiting()
    waiting.add([attempt("base")])
    warm = [attempt("tiny") for _ in range(PASSES_MOST + 4)]
    for each in warm:
        waiting.add([each])
    given = models(waiting, warm[0].kind, PASSES_MOST + 1)
    assert given == ["tiny"] * PASSES_MOST + ["base"]


def test_what_is_far_behind_is_not_looked_for() -> None:
    waiting = Waiting()
    for _ in range(LOOK_AHEAD):
        waiting.add([attempt("base")])
    late = attempt("tiny")
    waiting.add([late])
    assert models(waiting, late.kind, 1) == ["base"]


@pytest.mark.parametrize(
    ("elapsed_ms", "ahead"), [(None, 1), (0, AHEAD_MOST), (1, 32), (2, 1), (50, 1), (60_000, 1)]
)
def test_a_worker_is_given_one_attempt_but_many_quick_ones(
    elapsed_ms: int | None, ahead: int
) -> None:
    waiting = Waiting()
    one = attempt("tiny")
    if elapsed_ms is not None:
        waiting.learn("t.hear", elapsed_ms, loud=False)
    assert waiting.ahead(one) == ahead


def test_an_attempt_that_had_to_wait_for_a_core_teaches_nothing() -> None:
    waiting = Waiting()
    one = attempt("tiny")
    waiting.learn("t.hear", 0, loud=False)
    waiting.learn("t.hear", 15, loud=False, interrupted=True)
    assert waiting.ahead(one) == AHEAD_MOST
    waiting.learn("t.hear", 50, loud=False, interrupted=True)
    assert not waiting.is_quick(one)
