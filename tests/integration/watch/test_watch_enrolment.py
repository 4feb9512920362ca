"""How watches come to have their rules: a preview or a refusal writes nothing."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.conftest import Answer, Home
    from tests.integration.watch.conftest import Start

LOOK = ("--action", "count.look", "--settle", "0.1")


def known_of(home: "Home") -> dict[str, tuple[str, Any]]:
    """What the store has of each watch."""
    with closing(sqlite3.connect(home.data / "store.db")) as connection:
        rows = connection.execute("SELECT name, path, origin, rule FROM watches")
        return {name: tuple(rest) for name, *rest in rows}


def test_a_preview_writes_nothing(home: "Home") -> None:
    home.tone("a.wav")
    home.settings('[[watch]]\nname = "s"\npath = "other"\nsteps = [{ action = "count.look" }]\n')
    (home.folder / "other").mkdir()
    answer = home.call("watch", "media", *LOOK, "--dry-run")
    assert "1 file, 1 with something to do" in answer.out
    assert home.call("watch", "--dry-run").code == 0
    assert home.call("watch", "list").code == 0
    assert known_of(home) == {}


def test_a_preview_changes_no_running_watch(home: "Home", watch: "Start") -> None:
    (home.folder / "out").mkdir()
    home.call("watch", "add", "media", "--action", "count.cut", "--output", "out")
    running = watch.on_all()
    running.wait_for("watching")
    before = known_of(home)
    home.tone("a.wav")
    assert "count.look" in home.call("watch", "media", *LOOK, "--dry-run").out
    assert known_of(home) == before
    running.wait_for("done", "a.wav")
    assert list((home.folder / "out").iterdir())


def test_a_second_start_with_other_rules_is_refused_and_changes_nothing(
    home: "Home", watch: "Start"
) -> None:
    (home.folder / "out").mkdir()
    home.call("watch", "add", "media", "--action", "count.cut", "--output", "out")
    running = watch.on_all()
    running.wait_for("watching")
    before = known_of(home)
    answer = home.call("watch", "media", *LOOK)
    assert answer.code == 2
    assert "by other rules" in answer.err
    assert "mediahost watch edit media" in answer.err
    assert known_of(home) == before
    running.stop()


def test_an_edit_keeps_the_other_rules_and_says_what_changes(home: "Home") -> None:
    (home.folder / "out").mkdir()
    home.call("watch", "add", "media", "--action", "count.cut", "--output", "out")
    answer = home.call("watch", "edit", "media", "--action", "count.look")
    assert answer.code == 0
    assert "steps: count.cut, now count.look" in answer.out
    assert "output" not in answer.out
    (row,) = home.call("watch", "list", "--json").json
    assert row["rule"]["output"] == "out"
    answer = home.call("watch", "edit", "media", "--set", "output=", "--json")
    assert answer.json["changes"] == ["output: out, now none"]
    assert home.call("watch", "edit", "media").code == 2
    assert home.call("watch", "edit", "nosuch", *LOOK).code == 2


def test_a_watch_of_the_settings_is_changed_there(home: "Home") -> None:
    home.settings('[[watch]]\npath = "media"\nsteps = [{ action = "count.look" }]\n')
    home.call("watch", "--once")
    answer = home.call("watch", "edit", "media", "--action", "count.cut")
    assert answer.code == 2
    assert "in the settings" in answer.err


def test_settings_of_another_folder_stop_no_running_watch(home: "Home", watch: "Start") -> None:
    home.settings('[[watch]]\npath = "media"\nsteps = [{ action = "count.look" }]\n')
    running = watch.on_all()
    running.wait_for("watching")
    home.settings("")
    home.call("watch", "list")
    (home.folder / "other").mkdir()
    assert home.call("watch", "other", *LOOK, "--once").code == 0
    home.tone("a.wav")
    running.wait_for("done", "a.wav")


def test_a_recipe_that_can_not_be_used_is_refused_where_it_is_given(home: "Home") -> None:
    home.tone("a.wav")
    for wrong in ("--pipeline=nosuch", "--action=no.such", "--action=count.look:a=b"):
        assert home.call("watch", "add", "media", wrong).code == 2
        assert home.call("watch", "media", wrong, "--once").code == 2
    assert known_of(home) == {}


def test_one_faulty_watch_stops_no_other(home: "Home") -> None:
    (home.folder / "bad").mkdir()
    home.settings(
        '[[watch]]\nname = "nas"\npath = "bad"\npipeline = "nosuch"\n'
        '[[watch]]\nname = "good"\npath = "media"\nsteps = [{ action = "count.look" }]\n'
    )
    home.tone("a.wav")
    answer = home.call("watch", "--once")
    assert "✔ done" in answer.out
    assert "nas is faulty: No pipeline named 'nosuch'" in answer.out
    assert answer.code == 1
    assert home.ran() == {"look a.wav": 1}


def test_a_faulty_watch_goes_on_by_itself_once_it_is_put_right(
    home: "Home", watch: "Start"
) -> None:
    home.call("watch", "add", "media", *LOOK)
    with closing(sqlite3.connect(home.data / "store.db")) as connection, connection:
        connection.execute("UPDATE watches SET rule = json_set(rule, '$.steps[0].action', 'no.x')")
    running = watch.on_all()
    running.wait_for("faulty")
    status = running.wait_until(lambda status: status["state"] == "faulty")
    assert "no.x" in status["health"]["reason"]
    home.tone("a.wav")
    home.call("watch", "edit", "media", "--action", "count.look")
    running.wait_for("done", "a.wav")


def test_a_watch_does_the_same_in_whatever_folder_it_is_started(
    home: "Home", once: Callable[..., "Answer"]
) -> None:
    home.settings('[[pipelines.p.steps]]\naction = "count.look"\n')
    home.call("watch", "add", "media", "--pipeline", "p", "--settle", "0.1")
    # As in another folder: no settings, or others in which the name means something else.
    home.settings("")
    home.tone("a.wav")
    assert home.call("watch", "--once").code == 0
    home.settings('[[pipelines.p.steps]]\naction = "count.cut"\n')
    home.tone("b.wav", 500)
    assert home.call("watch", "--once").code == 0
    assert home.ran() == {"look a.wav": 1, "look b.wav": 1}
    actions = {job["action"] for job in home.call("jobs", "list", "--json").json}
    assert actions == {"count.look"}
