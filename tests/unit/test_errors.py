"""Errors speak to the user."""

import pytest

from mediahost import errors
from mediahost.errors import JobCancelled, MediahostError, StoreError, UnknownName, UsageError


def test_a_close_name_is_suggested() -> None:
    error = UnknownName("action", "hello.halvs", ["hello.halves", "av.probe"])
    assert str(error) == "No action named 'hello.halvs'; did you mean hello.halves?"
    assert error.hint == "There are: av.probe, hello.halves."


def test_nothing_is_suggested_where_nothing_is_close() -> None:
    error = UnknownName("action", "xyz", ["hello.halves"])
    assert error.message == "No action named 'xyz'"


def test_where_there_is_none_yet_the_hint_says_so() -> None:
    assert UnknownName("pipeline", "daily", []).hint == "There are no pipelines yet."
    assert UnknownName("pipeline", "daily", [], "Make one.").hint == "Make one."


def test_a_cancel_is_not_swallowed_by_except_exception() -> None:
    assert not issubclass(JobCancelled, Exception)


def test_each_error_has_the_exit_code_that_the_documentation_gives() -> None:
    assert MediahostError("x").exit_code == 1
    assert UsageError("x").exit_code == 2
    assert StoreError("x").exit_code == 3


@pytest.mark.parametrize(
    "error",
    [
        value
        for value in vars(errors).values()
        if getattr(value, "__module__", "") == errors.__name__
    ],
)
def test_every_error_is_of_the_one_tree_or_a_cancel(error: type) -> None:
    assert issubclass(error, MediahostError) or error is JobCancelled
    assert error.__doc__
