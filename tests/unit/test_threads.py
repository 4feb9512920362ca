"""The guard around threads, and that each thread has it."""

import ast
import logging
from pathlib import Path

import pytest

import mediahost
from mediahost.errors import StoreError
from mediahost.threads import GuardedThread, guarded

SOURCE = Path(mediahost.__file__).parent
# What makes a thread, whose target nothing guards.
UNGUARDED = {"Thread", "Timer", "start_new_thread"}


def unguarded_threads(code: str) -> list[int]:
    """Lines on which a thread is made, or a class of threads."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(code))
        if (isinstance(node, ast.Call) and name_of(node.func) in UNGUARDED)
        or (isinstance(node, ast.ClassDef) and {name_of(base) for base in node.bases} & UNGUARDED)
    ]


def name_of(node: ast.expr) -> str:
    """The last word of a dotted name."""
    return ast.unparse(node).rpartition(".")[2]


@pytest.mark.parametrize(
    "code",
    [
        "threading.Thread(target=work)",
        "Thread(target=work)",
        "threading.Timer(1, f)",
        "class X(threading.Thread): ...",
    ],
)
def test_a_thread_without_a_guard_is_found(code: str) -> None:
    assert unguarded_threads(code) == [1]


def test_each_thread_of_the_host_and_of_workers_is_guarded() -> None:
    found = {
        str(path.relative_to(SOURCE)): lines
        for path in SOURCE.rglob("*.py")
        if (lines := unguarded_threads(path.read_text("utf-8")))
    }
    assert list(found) == ["threads.py"]


@pytest.mark.parametrize("error", [ValueError("odd"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_a_thread_raises_is_handed_on(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[BaseException] = []

    def work() -> None:
        raise error

    thread = GuardedThread(work, name="odd work", failed=heard.append)
    thread.start()
    thread.join(60)
    assert heard == [error]
    assert "The thread odd work failed" in caplog.text


def test_a_guard_that_fails_itself_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no more")

    assert guarded(fail, fail) is False
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


def test_an_error_of_our_own_is_left_to_those_who_say_it(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise StoreError("The store is away")

    heard: list[BaseException] = []
    guarded(fail, heard.append)
    assert [str(error) for error in heard] == ["The store is away"]
    assert caplog.records == []
