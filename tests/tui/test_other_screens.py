"""Submit, Plugins, Stats, Hosts and Watch on a real store with a real plugin."""

import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Select, Static, Switch

from mediahost.host.identity import new_host_name
from mediahost.model.hosts import Heartbeat, HostStatus
from mediahost.model.job import JobStatus
from mediahost.model.watch import Watch
from mediahost.plugin.registry import Registry
from mediahost.testing.media import write_wav
from mediahost.tui import hosts_screen, stats_screen
from mediahost.tui.app import MediahostApp
from mediahost.tui.config_form import ConfigForm
from mediahost.tui.submit_request import SubmitRequest
from mediahost.tui.submit_screen import SubmitScreen
from mediahost.watch.enrolment import enrol

if TYPE_CHECKING:
    from tests.tui.conftest import Tui

SIZES = [(80, 24), (120, 36), (200, 50)]


@pytest.mark.parametrize("size", SIZES)
def test_plugins_show_their_actions_and_what_is_broken(
    tui: "Tui", until: Any, registry: Registry, size: tuple[int, int]
) -> None:
    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("3")
        await until(pilot, "3 plugins, 1 broken")
        await until(pilot, "1 action: look.at")
        await pilot.press("n")
        await until(pilot, "Choose one of the actions first")
        await pilot.press("down")
        await until(pilot, "How deep")
        await pilot.press("down")
        await until(pilot, "The module no_such_module is missing")
        await pilot.press("down")
        await until(pilot, "It has no actions.")

    tui.run(steps, size, registry=registry)


def test_a_form_shows_the_fault_beside_the_field(
    tui: "Tui", until: Any, registry: Registry
) -> None:
    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("3")
        await until(pilot, "3 plugins")
        await pilot.press("down")
        await until(pilot, "How deep")
        form = app.screen.query_one(ConfigForm)
        depth = form.query("Input").first().focus()
        await until(pilot, lambda _: depth.has_focus)
        await pilot.press("end", "0", "0")
        await until(pilot, "less than or equal to 9")
        assert form.check() is None
        await pilot.press("backspace", "backspace")
        await until(pilot, lambda _: form.check() == {"depth": "1", "way": "up"})

    tui.run(steps, registry=registry)


def test_a_field_is_not_missed_before_it_was_left(tui: "Tui", until: Any) -> None:
    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("2")
        await until(pilot, "No folder is watched.")
        await pilot.press("a")
        lines = await until(pilot, lambda text: re.search("path +required", text))
        assert "Field required" not in "\n".join(lines)
        await pilot.press("x")
        await until(pilot, lambda text: not re.search("path +required", text))
        await pilot.press("backspace")
        lines = await until(pilot, lambda text: re.search("path +required", text))
        assert "Field required" not in "\n".join(lines)
        await pilot.press("tab")
        await until(pilot, "Field required")

    tui.run(steps)


def test_who_submits_too_early_is_shown_what_is_missing(tui: "Tui", until: Any) -> None:
    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("2")
        await until(pilot, "No folder is watched.")
        await pilot.press("a")
        await until(pilot, lambda text: re.search("path +required", text))
        app.screen.query(Switch).last().focus()
        await until(pilot, lambda text: not re.search("path +required", text))
        await pilot.press("ctrl+s")
        await until(pilot, "Field required")
        await until(pilot, lambda _: app.focused is app.screen.query(Input).first())

    tui.run(steps, (80, 20))


def test_submit_previews_what_would_run_and_submits_it(
    tui: "Tui", until: Any, registry: Registry, tmp_path: Path
) -> None:
    tone = write_wav(tmp_path / "tone.wav", (0.1, 440))

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        asked = SubmitRequest("look.at", {"depth": 3}, [tone])
        app.post_message(asked)
        await until(pilot, "1 would run, 0 cached")
        assert isinstance(app.screen, SubmitScreen)
        await pilot.press("ctrl+s")
        await until(pilot, "1 job submitted, 0 cached")
        await until(pilot, "· pending    look.at")
        (job,) = tui.store.jobs(statuses=[JobStatus.PENDING])
        assert job.parameters["config"] == {"depth": 3, "way": "up"}
        tui.complete(*tui.claim())
        app.post_message(asked)
        await until(pilot, "0 would run, 1 cached")
        await pilot.press("escape")
        await until(pilot, "✔ completed")

    tui.run(steps, registry=registry)


def test_a_preview_begins_with_what_would_run(
    tui: "Tui", until: Any, registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "in").mkdir()
    tones = [write_wav(tmp_path / "in" / "a.wav", (0.1, 440))]

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        app.post_message(SubmitRequest("look.at", {}, [tmp_path / "empty"]))
        await until(pilot, "There is nothing in what is chosen that this works on.")
        await pilot.press("escape")
        app.post_message(SubmitRequest("look.at", {}, tones))
        await until(pilot, "1 would run, 0 cached")
        await pilot.press("ctrl+s")
        await until(pilot, "pending    look.at")
        tui.complete(*tui.claim())
        write_wav(tmp_path / "in" / "the other one.wav", (0.1, 550))
        app.post_message(SubmitRequest("look.at", {}, [tmp_path / "in"]))
        seen = await until(pilot, "✔ cached     look.at  ")
        at = next(index for index, line in enumerate(seen) if "1 would run, 1 cached" in line)
        assert "▷ would run  look.at  " in seen[at + 1]
        assert "/the other one.wav" in seen[at + 1], "there is room for its name"
        assert "✔ cached     look.at  " in seen[at + 2]

    tui.run(steps, (100, 40), registry=registry)


def test_a_job_is_run_again_with_another_config(
    tui: "Tui", until: Any, registry: Registry, tmp_path: Path
) -> None:
    tone = write_wav(tmp_path / "tone.wav", (0.1, 440))

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        app.post_message(SubmitRequest("look.at", {"depth": 3}, [tone]))
        await until(pilot, "1 would run")
        await pilot.press("ctrl+s")
        await until(pilot, "pending    look.at")
        await pilot.press("R")
        await until(pilot, lambda _: isinstance(app.screen, SubmitScreen))
        await until(pilot, "1 would run, 0 cached")
        form = app.screen.query_one(ConfigForm)
        assert form.check() == {"depth": "3", "way": "up"}
        depth = form.query("Input").first().focus()
        await until(pilot, lambda _: depth.has_focus)
        await pilot.press("end", "backspace", "4")
        await until(pilot, lambda _: form.check() == {"depth": "4", "way": "up"})
        await pilot.press("ctrl+s")
        await until(pilot, "1-2 of 2")
        assert {job.parameters["config"]["depth"] for job in tui.store.jobs()} == {3, 4}

    tui.run(steps, registry=registry)


@pytest.mark.parametrize("size", SIZES)
def test_stats_tell_pace_times_and_reasons(tui: "Tui", until: Any, size: tuple[int, int]) -> None:
    tui.submit(4)
    one, two, three = tui.claim(3)
    tui.complete(one, two)
    tui.fail(three)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("4")
        await until(pilot, "2 completed, 1 failed in the last day")
        await until(pilot, "The file has no audio stream")
        await until(
            pilot,
            lambda text: any("av.probe" in line and "1.5 s" in line for line in text.splitlines()),
        )
        await pilot.press("t")
        await until(pilot, "in the last week")

    tui.run(steps, size)


@pytest.mark.parametrize("size", SIZES)
def test_hosts_say_that_none_runs_and_how_to_start_one(
    tui: "Tui", until: Any, size: tuple[int, int]
) -> None:
    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("5")
        await until(pilot, "Press h to start one.")
        await until(pilot, "disk free")

    tui.run(steps, size)


@pytest.mark.parametrize("size", SIZES)
def test_hosts_are_known_by_their_heartbeats(tui: "Tui", until: Any, size: tuple[int, int]) -> None:
    tui.submit(3)
    said = Heartbeat(new_host_name(), "studio", 4711, "1.2", "local", 4, 3, HostStatus.WORKING)
    gone = replace(said, host="studio/other-boot/1/1/aa", pid=1)
    left = tui.data_dir / "hosts" / "aa"

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "No host runs: 3 jobs wait. Press h to start one")
        tui.store.beat(said)
        # What a killed host leaves: a lock file that nothing holds.
        left.parent.mkdir()
        left.touch()
        tui.store.beat(gone)
        await until(pilot, "● 1 host")
        await until(pilot, lambda text: "No host runs" not in text)
        await pilot.press("5")
        await until(pilot, "● working")
        await until(
            pilot,
            lambda text: any(
                "studio" in line and "4711" in line and "3/4" in line for line in text.splitlines()
            ),
        )
        await until(pilot, "✖ gone")
        tui.store.beat(replace(said, running=0, status=HostStatus.IDLE))
        await until(pilot, "● idle")

    tui.run(steps, size)


def test_a_screen_that_one_comes_back_to_is_read_at_once(
    tui: "Tui", until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts_screen, "READ_EVERY_S", 3600.0)
    monkeypatch.setattr(stats_screen, "READ_EVERY_S", 3600.0)

    async def steps(pilot: Pilot[None], _: MediahostApp) -> None:
        await until(pilot, "There are no jobs yet.")
        await pilot.press("5")
        await until(pilot, "Press h to start one.")
        await pilot.press("4")
        await until(pilot, "Nothing failed.")
        name = new_host_name()
        tui.store.beat(Heartbeat(name, "studio", 4711, "1.2", "local", 4, 0, HostStatus.IDLE))
        tui.submit(1)
        tui.fail(*tui.claim())
        await pilot.press("5")
        await until(pilot, "● idle")
        await pilot.press("4")
        await until(pilot, "Why jobs failed")

    tui.run(steps)


def test_hosts_end_with_what_runs_and_at_once_when_asked_again(
    tui: "Tui", until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = new_host_name()
    here = socket.gethostname()
    tui.store.beat(Heartbeat(name, here, 4711, "1.2", "local", 4, 3, HostStatus.WORKING))
    asked: list[str] = []
    monkeypatch.setattr(hosts_screen, "stop_host", lambda name, _: asked.append(name))

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "● 1 host")
        await pilot.press("5")
        await until(pilot, "● working")
        await pilot.press("S")
        await until(pilot, "Stop the host?")
        await until(pilot, "ends with those that run")
        await pilot.press("n", "S")
        await until(pilot, "Stop the host?")
        await pilot.press("y")
        await until(pilot, lambda _: asked == [name])
        await pilot.press("S")
        await until(pilot, "Stop the host at once?")
        await until(pilot, "given back")
        await pilot.press("y")
        await until(pilot, lambda _: asked == [name, name])

    tui.run(steps)


def test_what_is_chosen_is_marked_among_the_files(
    tui: "Tui", until: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "takes"
    folder.mkdir()
    write_wav(folder / "tone.wav", (0.1, 440))
    monkeypatch.chdir(folder)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "There are no jobs yet.")
        await pilot.press("n")
        await until(pilot, "tone.wav")
        await pilot.press("down", "space")
        await until(pilot, "tone.wav ✓")
        await pilot.press("space")
        await until(pilot, lambda text: "✓" not in text and "Nothing is chosen" in text)

    tui.run(steps)


def test_a_watch_is_added_paused_edited_and_forgotten(
    tui: "Tui", until: Any, tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("2")
        await until(pilot, "No folder is watched.")
        await pilot.press("a")
        await until(pilot, "ctrl+s keeps it")
        place = app.screen.query("ConfigForm Input").first(Input).focus()
        await until(pilot, lambda _: place.has_focus)
        await pilot.press(*str(inbox))
        await until(pilot, lambda _: place.value == str(inbox))
        await pilot.press("ctrl+s")
        await until(pilot, "not running")
        (row,) = tui.store.watches()
        assert row.name == "inbox"
        await pilot.press("p")
        await until(pilot, "‖ inbox")
        assert tui.store.watches()[0].paused
        await pilot.press("d")
        await until(pilot, "Forget the watch inbox?")
        await pilot.press("y")
        await until(pilot, "No folder is watched.")
        assert tui.store.watches() == []

    tui.run(steps, registry=Registry.load())


def test_the_rules_of_a_watch_are_edited(tui: "Tui", until: Any, registry: Registry) -> None:
    enrol(tui.store, Watch(name="inbox", path=Path("/in/inbox")), "command")

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("2")
        await until(pilot, "inbox")
        await pilot.press("e")
        await until(pilot, "ctrl+s keeps it")
        form = app.screen.query_one(ConfigForm)
        await until(pilot, lambda _: form.is_ready)
        assert (form.check() or {})["name"] == "inbox"
        (steps_of,) = (box for box in form.query(Input) if is_of(box, "steps"))
        steps_of.value = '[{"action": "look.at"'
        await until(pilot, "It should be JSON")
        await pilot.press("ctrl+s")
        await until(pilot, "The rules don't fit yet")
        steps_of.value = '[{"action": "look.at"}]'
        await until(pilot, lambda text: "It should be JSON" not in text)
        await pilot.press("ctrl+s")
        await until(pilot, "inbox is kept")
        await until(pilot, "look.at")

    tui.run(steps, registry=registry)
    (row,) = tui.store.watches()
    assert [step["action"] for step in row.rule["steps"]] == ["look.at"]


def is_of(box: Input, field: str) -> bool:
    """Whether it is the input of this field."""
    assert box.parent is not None
    row = box.parent.parent
    assert row is not None
    return str(row.query(".name").first(Static).content) == field


def test_a_watch_of_the_settings_is_edited_there(tui: "Tui", until: Any) -> None:
    enrol(tui.store, Watch(name="inbox", path=Path("/in/inbox")), "settings")

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("2")
        await until(pilot, "inbox")
        await pilot.press("e")
        await until(pilot, "edit it there")

    tui.run(steps)


def test_a_watch_is_looked_at_at_once_where_asked(tui: "Tui", until: Any) -> None:
    enrol(tui.store, Watch(name="inbox", path=Path("/in/inbox")), "command")

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("2")
        await until(pilot, "inbox")
        await pilot.press("s")
        await until(pilot, "Asked to look at everything")

    tui.run(steps)
    assert tui.store.watches()[0].scan_asked


def test_a_dry_run_says_what_a_watch_would_do(
    tui: "Tui", until: Any, registry: Registry, tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name in ("c.wav", "a.wav", "b.wav"):
        write_wav(inbox / name, (0.1, 440))
    (inbox / "notes.txt").write_text("nothing to look at")
    steps_of = ({"action": "look.at"},)
    rule = Watch.model_validate({"name": "inbox", "path": inbox, "steps": steps_of})
    enrol(tui.store, rule, "command")

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("2")
        await until(pilot, "inbox")
        await pilot.press("t")
        await until(pilot, "A dry run: 3 files")
        seen = await until(pilot, "would run look.at")
        files = [line.split()[-1] for line in seen if line.endswith(".wav")]
        assert files == ["a.wav", "b.wav", "c.wav"], "in their order, and without their folder"

    tui.run(steps, registry=registry)
    assert tui.store.jobs() == []


def test_a_pipeline_of_the_settings_is_submitted(
    tui: "Tui", until: Any, registry: Registry, tmp_path: Path
) -> None:
    tone = write_wav(tmp_path / "tone.wav", (0.1, 440))
    steps_of = [{"action": "look.at", "config": {"depth": 5}}]
    tui.changes["pipelines"] = {"deep": {"description": "Looks twice", "steps": steps_of}}

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        app.post_message(SubmitRequest(paths=[tone]))
        await until(pilot, "Choose files, and what to do with them.")
        app.screen.query_one("#what", Select).value = "pipeline deep"
        await until(pilot, "Looks twice")
        await until(pilot, "look.at (depth=5)")
        await until(pilot, "1 would run, 0 cached")
        await pilot.press("ctrl+s")
        await until(pilot, "1 job submitted")
        await until(pilot, "pending    look.at")

    tui.run(steps, registry=registry)
    (job,) = tui.store.jobs()
    assert job.parameters["config"]["depth"] == 5


def test_a_switch_says_how_it_stands_in_letters(tui: "Tui", until: Any) -> None:
    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("2")
        await until(pilot, "No folder is watched.")
        await pilot.press("a")
        await until(pilot, lambda text: re.search(r"recursive +\[x\] yes", text))
        switch = app.screen.query(Switch).first().focus()
        await until(pilot, lambda _: switch.has_focus)
        await pilot.press("enter")
        await until(pilot, lambda text: re.search(r"recursive +\[ \] no", text))

    tui.run(steps, (120, 50), ascii_only=True)
