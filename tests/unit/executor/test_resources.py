import threading

import pytest

from mediahost.errors import JobCancelled
from mediahost.executor.resources import Resources

PATIENCE_S = 60


class Model:
    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Stubborn(Model):
    def close(self) -> None:
        raise RuntimeError("no")


def test_attempts_at_the_same_time_get_the_same_value() -> None:
    resources = Resources()
    first, second = resources.borrower(), resources.borrower()
    assert first.find(Model, "a") is second.find(Model, "a")
    assert first.find(Model, "a") is not second.find(Model, "b")
    assert resources.loads == 2


def test_what_any_attempt_under_way_uses_is_never_closed() -> None:
    resources = Resources(kept=1)
    first, second = resources.borrower(), resources.borrower()
    a = first.find(Model, "a")
    assert second.find(Model, "a") is a
    b = second.find(Model, "b")
    first.release()
    assert not a.closed
    second.release()
    assert (a.closed, b.closed) == (True, False)
    resources.close()
    assert b.closed


def test_a_slow_loading_holds_up_those_who_want_the_same_and_nobody_else() -> None:
    resources = Resources()
    loading, go_on = threading.Event(), threading.Event()
    found: list[str] = []

    def slow() -> str:
        loading.set()
        assert go_on.wait(PATIENCE_S)
        return "slow"

    def want_it() -> None:
        found.append(resources.borrower().find(slow))

    threads = [threading.Thread(target=want_it) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert loading.wait(PATIENCE_S)
    assert resources.borrower().find(Model, "quick").name == "quick"
    assert found == []
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert found == ["slow"] * 3
    assert resources.loads == 2


def test_one_that_waits_for_anothers_loading_can_be_cancelled() -> None:
    resources = Resources()
    loading, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        loading.set()
        assert go_on.wait(PATIENCE_S)
        return "slow"

    loader = threading.Thread(target=resources.borrower().find, args=(slow,))
    loader.start()
    assert loading.wait(PATIENCE_S)
    with pytest.raises(JobCancelled):
        resources.borrower(lambda: True).find(slow)
    go_on.set()
    loader.join(PATIENCE_S)
    assert resources.names()


def test_a_loading_that_fails_is_tried_again_by_the_next() -> None:
    resources = Resources()
    tries: list[int] = []

    def fickle() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("not yet")
        return "there"

    borrower = resources.borrower()
    with pytest.raises(OSError, match="not yet"):
        borrower.find(fickle)
    assert borrower.find(fickle) == "there"


def test_the_one_unused_for_longest_is_closed_first() -> None:
    resources = Resources(kept=2)
    borrower = resources.borrower()
    a, b = borrower.find(Model, "a"), borrower.find(Model, "b")
    borrower.release()
    borrower.find(Model, "a")
    borrower.release()
    borrower.find(Model, "c")
    assert (a.closed, b.closed) == (False, True)
    assert resources.names() == [f"{__name__}.Model(a)", f"{__name__}.Model(c)"]


def test_what_one_attempt_uses_is_never_closed_however_much_that_is() -> None:
    borrower = Resources(kept=1).borrower()
    models = [borrower.find(Model, name) for name in "abc"]
    assert not any(model.closed for model in models)
    borrower.release()
    assert [model.closed for model in models] == [True, True, False]


def test_a_value_that_can_not_be_closed_goes_all_the_same() -> None:
    resources = Resources()
    resources.borrower().find(Stubborn, "a")
    resources.close()
    assert resources.names() == []


def test_a_load_that_fails_leaves_nothing_behind() -> None:
    resources = Resources()
    with pytest.raises(TypeError):
        resources.borrower().find(Model)
    assert resources.names() == []


def test_a_resource_may_be_made_of_another() -> None:
    resources = Resources()
    borrower = resources.borrower()

    def whole() -> list[str]:
        return [borrower.find(Model, "part").name]

    assert borrower.find(whole) == ["part"]
    assert resources.loads == 2
