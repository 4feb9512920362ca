"""Whoever cancels needn't wait for what Whisper computes."""

from threading import Event

import pytest

from mediahost import JobCancelled
from mediahost_speech.heedful import Heedful, heeding

PATIENCE_S = 60


class Slow:
    """A model that generates until it is told that it may end."""

    device = "cpu"

    def __init__(self) -> None:
        self.began, self.may_end = Event(), Event()
        self.calls: list[str] = []

    def generate(self, prompt: str, *, beam_size: int) -> str:
        self.began.set()
        assert self.may_end.wait(PATIENCE_S)
        self.calls.append(prompt)
        return prompt * beam_size


def test_a_cancel_is_obeyed_while_the_model_computes() -> None:
    slow = Slow()
    model = Heedful(slow)

    def cancelled() -> None:
        if slow.began.is_set():
            raise JobCancelled

    with heeding(cancelled), pytest.raises(JobCancelled):
        model.generate("first", beam_size=2)
    assert slow.calls == []  # it is still at it

    slow.may_end.set()
    assert model.generate("next", beam_size=2) == "nextnext"
    assert slow.calls == ["first", "next"]


def test_whatever_else_the_model_has_is_passed_on() -> None:
    model = Heedful(Slow())

    assert model.device == "cpu"
    with pytest.raises(AttributeError):
        _ = model.missing


def test_an_error_of_the_model_is_the_callers() -> None:
    slow = Slow()
    slow.may_end.set()

    with pytest.raises(TypeError, match="beam_size"):
        Heedful(slow).generate("alone")
