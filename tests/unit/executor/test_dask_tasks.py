"""Tasks that a simulated scheduler forgets."""

from types import SimpleNamespace

from mediahost.executor.dask_tasks import Forgotten, known_tasks


def test_a_task_is_forgotten_that_is_missing_twice_in_a_row() -> None:
    scheduler = SimpleNamespace(tasks={"a": 1, "b": 1})
    sent = ["a", "b", "c"]
    forgotten = Forgotten()
    assert forgotten.look(sent, known_tasks(sent, scheduler)) == set()
    scheduler.tasks["c"] = 1  # it was on its way
    del scheduler.tasks["b"]
    assert forgotten.look(sent, known_tasks(sent, scheduler)) == set()
    assert forgotten.look(sent, known_tasks(sent, scheduler)) == {"b"}


def test_a_task_whose_answer_came_is_not_forgotten() -> None:
    forgotten = Forgotten()
    forgotten.look(["a"], [])
    assert forgotten.look([], []) == set()
