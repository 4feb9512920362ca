from typing import TYPE_CHECKING, Any

from mediahost.host.explain import explain

if TYPE_CHECKING:
    from tests.unit.host.conftest import House

LOOK = {"action": "t.look"}
FOLLOW = {"action": "t.follow", "after": "t.look"}


def reasons(house: "House", *steps: Any) -> list[tuple[str, ...]]:
    recipe = house.recipe(*steps)
    return [explain(house.store, recipe, row).reasons for row in house.evaluate(recipe)]


def test_what_is_cached_says_so(house: "House") -> None:
    house.tone()
    house.keep(house.recipe(LOOK), {"size": 1})

    assert reasons(house, LOOK) == [
        ("the same bytes, action version, config and inputs were computed before",)
    ]


def test_what_never_was_says_so(house: "House") -> None:
    house.tone()

    assert reasons(house, LOOK) == [
        ("it was never computed for these bytes, nor for others at this path",)
    ]


def test_each_field_that_differs_from_the_nearest_result_is_named(house: "House") -> None:
    house.tone()
    house.keep(house.recipe({**LOOK, "config": {"depth": 7, "note": "far"}}), {"size": 1})
    house.keep(house.recipe({**LOOK, "config": {"depth": 2}}), {"size": 1})

    assert reasons(house, LOOK) == [("config depth is 1, it was 2",)]


def test_a_new_version_is_named_with_the_old_one(house: "House") -> None:
    house.tone()
    house.keep(house.recipe(LOOK), {"size": 1})
    house.upgrade()

    assert reasons(house, LOOK) == [("the action's version is 2, it was 1",)]


def test_changed_content_is_told_from_a_changed_config(house: "House") -> None:
    path = house.tone()
    house.keep(house.recipe(LOOK), {"size": 1})
    path.write_bytes(b"other")

    assert reasons(house, LOOK) == [("the file's content has changed since it was computed",)]
    assert reasons(house, {**LOOK, "config": {"depth": 2}}) == [
        ("the file's content has changed since it was computed", "config depth is 2, it was 1")
    ]


def test_a_file_under_a_new_name_with_new_content_was_never_computed(house: "House") -> None:
    path = house.tone()
    house.keep(house.recipe(LOOK), {"size": 1})
    path.unlink()
    house.tone("b.wav", 550)

    assert "never computed" in reasons(house, LOOK)[0][0]


def test_a_file_that_was_renamed_and_changed_is_guessed_and_the_guess_is_called_one(
    house: "House",
) -> None:
    path = house.tone()
    house.keep(house.recipe(LOOK), {"size": 1})
    renamed = path.rename(path.with_name("b.wav"))
    renamed.write_bytes(b"other")
    never = "it was never computed for these bytes, nor for others at this path"
    renaming = (
        "a.wav, renamed and then changed: that is gone, and lay in the same place of the disk"
    )
    guess = (never, f"perhaps it is {renaming}")

    assert reasons(house, LOOK) == [guess]
    assert reasons(house, LOOK) == [guess], "also when its new bytes are known"
    assert reasons(house, {"action": "t.break"}) == [guess[:1]], (
        "of another action nothing was computed"
    )

    path.hardlink_to(renamed)
    changed = ("the file's content has changed since it was computed",)
    assert set(reasons(house, LOOK)) == {changed, guess[:1]}, "two names of one file"


def test_a_step_that_waits_says_for_what(house: "House") -> None:
    house.tone()

    assert reasons(house, LOOK, FOLLOW)[1] == ("it needs t.look first",)


def test_a_changed_result_of_the_step_before_is_named(house: "House") -> None:
    house.tone()
    steps: list[Any] = [LOOK, FOLLOW]
    house.keep(house.recipe(*steps), {"size": 1})
    house.keep(house.recipe(*steps), {"given": 1})
    deeper: list[Any] = [{**LOOK, "config": {"depth": 2}}, FOLLOW]
    house.keep(house.recipe(*deeper), {"size": 2})

    assert reasons(house, *deeper)[1] == ("a result that it follows has changed",)


def test_lost_artifacts_are_told_from_a_changed_key(house: "House") -> None:
    house.tone()
    cut = {"action": "t.cut"}
    with house.host() as host:
        summary = host.run([house.media], house.recipe(cut))
        for path in summary.rows[0].artifacts:
            house.folder.joinpath(path).unlink()

        assert reasons(house, cut) == [
            ("it was computed, but an artifact of it is gone or has changed",)
        ]


def test_every_action_is_explained_as_it_was_configured_last(house: "House") -> None:
    path = house.tone()
    house.keep(house.recipe(LOOK), {"size": 1})

    with house.host() as host:
        cached = {one.action: one.cached for one in host.explain(path)}

    others = dict.fromkeys(["t.ask", "t.break", "t.cut", "t.follow"], False)
    assert cached == {**others, "t.look": True}
