import threading

import pytest

from mediahost.errors import JobCancelled
from mediahost.executor.shared_resources import SharedResources

PATIENCE_S = 60


class Model:
    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False

    def close(self) -> None:
        self.closed = True


def never() -> bool:
    return False


def test_attempts_at_the_same_time_get_the_same_value() -> None:
    shared = SharedResources()
    first, second = shared.borrower(never), shared.borrower(never)
    assert first.find(Model, "a") is second.find(Model, "a")
    assert first.find(Model, "a") is not second.find(Model, "b")
    assert shared.loads == 2


def test_what_any_attempt_under_way_uses_is_never_closed() -> None:
    shared = SharedResources(kept=1)
    first, second = shared.borrower(never), shared.borrower(never)
    a = first.find(Model, "a")
    assert second.find(Model, "a") is a
    b = second.find(Model, "b")
    first.release()
    assert not a.closed
    second.release()
    assert (a.closed, b.closed) == (True, False)
    shared.close()
    assert b.closed


def test_a_slow_loading_holds_up_those_who_want_the_same_and_nobody_else() -> None:
    shared = SharedResources()
    loading, go_on = threading.Event(), threading.Event()
    found: list[str] = []

    def slow() -> str:
        loading.set()
        assert go_on.wait(PATIENCE_S)
        return "slow"

    def want_it() -> None:
        found.append(shared.borrower(never).find(slow))

    threads = [threading.Thread(target=want_it) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert loading.wait(PATIENCE_S)
    assert shared.borrower(never).find(Model, "quick").name == "quick"
    assert found == []
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert found == ["slow"] * 3
    assert shared.loads == 2


def test_one_that_waits_for_anothers_loading_can_be_cancelled() -> None:
    shared = SharedResources()
    loading, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        loading.set()
        assert go_on.wait(PATIENCE_S)
        return "slow"

    loader = threading.Thread(target=shared.borrower(never).find, args=(slow,))
    loader.start()
    assert loading.wait(PATIENCE_S)
    with pytest.raises(JobCancelled):
        shared.borrower(lambda: True).find(slow)
    go_on.set()
    loader.join(PATIENCE_S)
    assert shared.names()


def test_a_loading_that_fails_is_tried_again_by_the_next() -> None:
    shared = SharedResources()
    tries: list[int] = []

    def fickle() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("not yet")
        return "there"

    borrower = shared.borrower(never)
    with pytest.raises(OSError, match="not yet"):
        borrower.find(fickle)
    assert borrower.find(fickle) == "there"


def test_a_resource_may_be_made_of_another() -> None:
    shared = SharedResources()
    borrower = shared.borrower(never)

    def whole() -> list[str]:
        return [borrower.find(Model, "part").name]

    assert borrower.find(whole) == ["part"]
    assert shared.loads == 2
