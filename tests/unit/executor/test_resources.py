import pytest

from mediahost.executor.resources import Resources


class Model:
    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Stubborn(Model):
    def close(self) -> None:
        raise RuntimeError("no")


def test_the_same_arguments_give_the_same_value() -> None:
    resources = Resources()
    assert resources.find(Model, "a") is resources.find(Model, "a")
    assert resources.find(Model, "a") is not resources.find(Model, "b")
    assert resources.loads == 2


def test_the_one_unused_for_longest_is_closed_first() -> None:
    resources = Resources(kept=2)
    a, b = resources.find(Model, "a"), resources.find(Model, "b")
    resources.release()
    resources.find(Model, "a")
    resources.release()
    resources.find(Model, "c")
    assert (a.closed, b.closed) == (False, True)
    assert resources.names() == [f"{__name__}.Model(a)", f"{__name__}.Model(c)"]


def test_what_the_running_attempt_uses_is_never_closed() -> None:
    resources = Resources(kept=1)
    models = [resources.find(Model, name) for name in "abc"]
    assert not any(model.closed for model in models)
    resources.release()
    assert [model.closed for model in models] == [True, True, False]


def test_a_value_that_can_not_be_closed_goes_all_the_same() -> None:
    resources = Resources()
    resources.find(Stubborn, "a")
    resources.close()
    assert resources.names() == []


def test_a_load_that_fails_leaves_nothing_behind() -> None:
    resources = Resources()
    with pytest.raises(TypeError):
        resources.find(Model)
    assert resources.names() == []


def test_a_resource_may_be_made_of_another() -> None:
    resources = Resources()
    outer = resources.find(lambda: [resources.find(Model, "inner")])
    assert outer[0].name == "inner"
