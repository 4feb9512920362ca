from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mediahost import hookimpl
from mediahost.errors import InvalidConfig, InvalidPipeline, UnknownName
from mediahost.host.planner import State
from mediahost.model.pipeline import Step
from mediahost.plugin.registry import PluginRow

if TYPE_CHECKING:
    from tests.unit.host.conftest import House

LOOK = {"action": "t.look"}
FOLLOW = {"action": "t.follow", "after": "t.look"}


def states(rows: Any) -> list[str]:
    return [f"{row.step.name} {row.state}" for row in rows]


def test_what_was_never_computed_is_missing_then_cached(house: "House") -> None:
    house.tone()
    recipe = house.recipe(LOOK)

    assert states(house.evaluate(recipe)) == ["t.look missing"]
    hit = house.keep(recipe, {"size": 1})

    (row,) = house.evaluate(recipe)
    assert row.state is State.CACHED
    assert row.hit == hit


def test_a_step_is_blocked_until_what_it_follows_is_there(house: "House") -> None:
    house.tone()
    recipe = house.recipe(LOOK, FOLLOW)

    assert states(house.evaluate(recipe)) == ["t.look missing", "t.follow blocked"]
    hit = house.keep(recipe, {"size": 1})

    rows = house.evaluate(recipe)
    assert states(rows) == ["t.look cached", "t.follow missing"]
    assert rows[1].inputs == {"t.look": hit.key}


def test_a_following_step_has_its_key_from_the_result_not_from_the_config(house: "House") -> None:
    house.tone()
    keys = []
    for note, size in (("", 1), ("the same result", 1), ("another result", 2)):
        recipe = house.recipe({**LOOK, "config": {"note": note}}, FOLLOW)
        house.keep(recipe, {"size": size})
        keys.append(house.evaluate(recipe)[1].key)

    assert keys[0] == keys[1] != keys[2]


def test_a_file_of_a_kind_that_a_step_does_not_accept_has_no_row(house: "House") -> None:
    house.tone()
    (house.media / "paper.pdf").write_bytes(b"%PDF")
    recipe = house.recipe({"action": "t.cut"}, {"action": "t.follow", "after": "t.cut"})

    rows = house.evaluate(recipe)

    # Not even a step that would accept it, but follows one that doesn't.
    assert {Path(row.root.path).name for row in rows} == {"a.wav"}


def test_steps_on_artifacts_have_a_row_for_each(house: "House") -> None:
    house.tone()
    recipe = house.recipe({"action": "t.cut"}, {"action": "t.look", "media": "t.cut"})
    assert states(house.evaluate(recipe)) == ["t.cut missing", "t.look blocked"]

    with house.host() as host:
        host.run([house.media], recipe)
        rows = house.evaluate(recipe)

    assert states(rows) == ["t.cut cached", "t.look cached", "t.look cached"]
    assert rows[1].origin is rows[2].origin is rows[0]
    # Equal bytes are one key, wherever they lie.
    assert rows[1].key == rows[2].key


@pytest.mark.parametrize(
    "harm", [Path.unlink, lambda path: path.write_bytes(b"edited")], ids=["gone", "edited"]
)
def test_a_result_with_a_harmed_artifact_is_missing(
    house: "House", harm: Callable[[Path], Any]
) -> None:
    house.tone()
    recipe = house.recipe({"action": "t.cut"})
    with house.host() as host:
        summary = host.run([house.media], recipe)
        harm(Path(summary.rows[0].artifacts[1]))

        (row,) = house.evaluate(recipe)

    assert row.state is State.MISSING
    assert row.lost_artifacts


def test_results_that_are_not_accepted_are_missing(house: "House") -> None:
    house.tone()
    recipe = house.recipe(LOOK)
    house.keep(recipe, {"size": 1})

    (row,) = house.planner.evaluate(recipe, house.roots(), lambda _key: False)

    assert row.state is State.MISSING


def test_results_about_to_be_committed_count(house: "House") -> None:
    house.tone()
    recipe = house.recipe(LOOK, FOLLOW)
    hit = house.keep(recipe, {"size": 1})

    rows = house.planner.evaluate(recipe, house.roots(), lambda _key: False, {hit.key: hit})

    assert states(rows) == ["t.look cached", "t.follow missing"]


def test_rows_come_in_the_order_in_which_the_steps_are_written(house: "House") -> None:
    house.tone()

    rows = house.evaluate(house.recipe(FOLLOW, LOOK))

    assert states(rows) == ["t.follow blocked", "t.look missing"]


def test_a_recipe_is_checked(house: "House") -> None:
    with pytest.raises(UnknownName, match=r"did you mean t\.look\?"):
        house.recipe({"action": "t.lok"})
    with pytest.raises(InvalidConfig, match="depth"):
        house.recipe({**LOOK, "config": {"depth": "deep"}})


class _Planning:
    def __init__(self, plan: Callable[[Any, list[Any]], None]) -> None:
        self._plan = plan

    @hookimpl
    def mediahost_plan_jobs(self, media: Any, proposed: list[Any]) -> None:
        self._plan(media, proposed)


def planned(house: "House", plan: Callable[[Any, list[Any]], None]) -> dict[str, list[str]]:
    house.registry.register(_Planning(plan), PluginRow("planning", "", ""))
    recipe = house.recipe(LOOK)
    return {
        Path(root.path).name: [step.name for step in one.steps]
        for one, roots in house.planner.recipes_for(recipe, house.roots())
        for root in roots
    }


def test_plugins_add_and_drop_steps_file_by_file(house: "House") -> None:
    for index, name in enumerate(("a.wav", "b.wav", "c.wav")):
        house.tone(name, 300 + index)

    def plan(media: Any, proposed: list[Any]) -> None:
        if media.path.name == "a.wav":
            proposed.append(Step(action="t.cut"))
        elif media.path.name == "b.wav":
            proposed.clear()

    assert planned(house, plan) == {"a.wav": ["t.look", "t.cut"], "c.wav": ["t.look"]}


def test_a_plugin_that_plans_nonsense_is_told_so(house: "House") -> None:
    house.tone()
    with pytest.raises(InvalidPipeline, match="A plugin made a pipeline"):
        planned(house, lambda _media, proposed: proposed.append(proposed[0]))


def test_what_a_plugin_that_fails_to_plan_has_done_is_undone(
    house: "House", caplog: pytest.LogCaptureFixture
) -> None:
    house.tone("a.wav")

    def fail(_media: Any, proposed: list[Any]) -> None:
        proposed.clear()
        raise KeyError("oh")

    assert planned(house, fail) == {"a.wav": ["t.look"]}
    assert "The plugin planning failed in mediahost_plan_jobs: KeyError: 'oh'" in caplog.text
