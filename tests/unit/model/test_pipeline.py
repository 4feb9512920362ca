"""Pipelines: recipes that can't be run are refused with the reason."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mediahost.model.pipeline import Pipeline, Step


def _pipeline(*steps: dict[str, Any]) -> Pipeline:
    return Pipeline.model_validate({"name": "test", "steps": steps})


def test_steps_come_after_what_they_need() -> None:
    pipeline = _pipeline(
        {"action": "c.c", "after": "b.b"}, {"action": "b.b", "after": ["a.a"]}, {"action": "a.a"}
    )
    assert [step.name for step in pipeline.ordered()] == ["a.a", "b.b", "c.c"]


def test_independent_steps_stay_as_written() -> None:
    pipeline = _pipeline({"action": "b.b"}, {"action": "a.a"}, {"action": "c.c"})
    assert [step.name for step in pipeline.ordered()] == ["b.b", "a.a", "c.c"]


def test_a_step_is_called_by_its_action_unless_it_has_a_name() -> None:
    assert Step(action="av.probe").name == "av.probe"
    assert Step(action="av.probe", name="look").name == "look"


def test_one_action_may_be_two_steps_under_two_names() -> None:
    pipeline = _pipeline(
        {"action": "av.thumbnail", "name": "small"}, {"action": "av.thumbnail", "name": "large"}
    )
    assert pipeline.step("large").action == "av.thumbnail"


def test_two_steps_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"two steps are named 'a.a'"):
        _pipeline({"action": "a.a"}, {"action": "a.a"})


@pytest.mark.parametrize("by", ["after", "media"])
def test_a_step_that_needs_an_unknown_one_is_refused(by: str) -> None:
    need: dict[str, Any] = {"after": ["z.z"]} if by == "after" else {"media": "z.z"}
    with pytest.raises(ValidationError, match=r"step 'a.a' follows 'z.z', which is no step"):
        _pipeline({"action": "a.a", **need})


def test_a_circle_is_refused_and_shown() -> None:
    with pytest.raises(ValidationError, match=r"in a circle: .*a.a -> b.b|b.b -> a.a"):
        _pipeline({"action": "a.a", "after": ["b.b"]}, {"action": "b.b", "media": "a.a"})


def test_a_step_that_needs_itself_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"in a circle"):
        _pipeline({"action": "a.a", "media": "a.a"})


def test_a_recipe_without_steps_is_refused() -> None:
    with pytest.raises(ValidationError):
        _pipeline()


def test_a_step_may_follow_what_works_on_the_file_that_its_own_was_made_from() -> None:
    pipeline = _pipeline(
        {"action": "av.probe"},
        {"action": "av.audio"},
        {"action": "speech.vad", "media": "av.audio", "after": ["av.probe", "av.audio"]},
        {"action": "av.cut", "media": "av.audio", "after": ["speech.vad"]},
        {"action": "speech.write", "media": "av.cut", "after": ["speech.vad", "av.probe"]},
    )
    assert pipeline.origins(pipeline.step("speech.write")) == ("av.cut", "av.audio", None)


def test_a_step_cant_follow_one_that_works_on_other_files() -> None:
    with pytest.raises(ValidationError, match=r"can't follow 'speech.vad', which works on other"):
        _pipeline(
            {"action": "av.audio"},
            {"action": "speech.vad", "media": "av.audio"},
            {"action": "av.chapters", "after": ["speech.vad"]},
        )


@given(st.permutations(range(6)), st.data())
def test_any_graph_without_a_circle_is_ordered(order: list[int], data: st.DataObject) -> None:
    steps = [
        {
            "action": f"s.s{number}",
            "after": [f"s.s{order[i]}" for i in range(place) if data.draw(st.booleans())],
        }
        for place, number in enumerate(order)
    ]
    pipeline = _pipeline(*data.draw(st.permutations(steps)))
    done: set[str] = set()
    for step in pipeline.ordered():
        assert set(step.needs) <= done
        done.add(step.name)
    assert len(done) == 6
