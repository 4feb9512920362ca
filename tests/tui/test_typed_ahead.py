"""Keys that are typed faster than screens open are for the screen that opens."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from mediahost.model.pause import Pause, PauseKind
from mediahost.plugin.registry import Registry
from mediahost.tui import patience
from mediahost.tui.app import MediahostApp
from mediahost.tui.filter_line import FilterLine
from mediahost.tui.jobs_screen import JobsScreen
from mediahost.tui.submit_screen import SubmitScreen
from mediahost.tui.watch_screen import WatchForm

if TYPE_CHECKING:
    from tests.tui.conftest import Tui


def type_at_once(app: MediahostApp, *keys: str) -> None:
    """All of them are there before the first one is looked at, as on a busy machine."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


def test_the_answer_is_for_the_question_that_opens(tui: "Tui", until: Any) -> None:
    tui.submit(2)
    tui.claim()

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "▶ processing av.probe")
        type_at_once(app, "G", "x", "y")
        await until(pilot, "◌ cancelling")
        assert app.clipboard == ""

    tui.run(steps)


def test_what_is_typed_for_a_form_does_nothing_to_jobs(tui: "Tui", until: Any) -> None:
    tui.submit(2)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-2 of 2")
        type_at_once(app, "n", "x", "d", "y", "j")
        await until(pilot, "Choose files, and what to do with them.")
        type_at_once(app, "escape", "G")
        await until(pilot, "1-2 of 2")
        assert isinstance(app.screen, JobsScreen)
        table = app.screen.list.table
        await until(pilot, lambda _: table.cursor == 1)

    tui.run(steps)
    assert len(tui.claim(2)) == 2, "both are pending still"


def test_a_folder_is_typed_into_the_form_that_opens(tui: "Tui", until: Any) -> None:
    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "There are no jobs yet.")
        type_at_once(app, "2", "a", *"pqdx15?")
        await until(pilot, lambda text: "ctrl+s keeps it" in text and "pqdx15?" in text)
        assert isinstance(app.screen, WatchForm)
        assert app.screen.query(Input).first().value == "pqdx15?"

    tui.run(steps)


def test_a_filter_is_typed_from_its_first_letter_on(tui: "Tui", until: Any) -> None:
    tui.submit(2)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-2 of 2")
        type_at_once(app, "slash", *"xpd")
        line = app.screen.query_one(FilterLine)
        await until(pilot, lambda _: line.text == "xpd")

    tui.run(steps)


def test_what_is_typed_after_a_tab_is_for_the_next_field(tui: "Tui", until: Any) -> None:
    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "There are no jobs yet.")
        type_at_once(app, "2", "a", *"xin", "tab", *"tapes")
        await until(pilot, lambda text: "xin" in text and "tapes" in text)
        path, name = list(app.screen.query(Input))[:2]
        assert (path.value, name.value) == ("xin", "tapes")

    tui.run(steps)


def test_what_is_to_pause_is_chosen_before_it_is_seen(tui: "Tui", until: Any) -> None:
    tui.submit(2)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-2 of 2")
        type_at_once(app, "p", "j", "enter", "G")
        await until(pilot, "‖ paused")
        assert tui.store.pauses() == [Pause(PauseKind.ACTION, "av.probe")]
        assert isinstance(app.screen, JobsScreen)

    tui.run(steps)


def test_a_job_is_run_again_before_its_form_is_seen(
    tui: "Tui", until: Any, registry: Registry, tmp_path: Path
) -> None:
    tui.submit(1, "look.at")

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-1 of 1")
        type_at_once(app, "R", "x", "d", "y")
        await until(pilot, lambda _: isinstance(app.screen, SubmitScreen))
        await until(pilot, "How deep")

    tui.run(steps, registry=registry)
    assert len(tui.claim(2)) == 1, "it is pending still"


def test_a_plugins_screen_takes_keys_as_soon_as_it_is_there(
    tui: "Tui", until: Any, registry: Registry
) -> None:
    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "There are no jobs yet.")
        type_at_once(app, "3", "j", "n", "j")
        await until(pilot, "Choose files, and what to do with them.")

    tui.run(steps, registry=registry)


def test_keys_come_back_when_nothing_opens(
    tui: "Tui", until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tui.submit(2)
    monkeypatch.setattr(patience, "PATIENCE_S", 0.2)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-2 of 2")
        app.expect_screen()
        type_at_once(app, "d")
        await until(pilot, "Nothing has opened")
        assert isinstance(app.screen, JobsScreen)
        table = app.screen.list.table
        type_at_once(app, "G")
        await until(pilot, lambda _: table.cursor == 1)

    tui.run(steps)


def test_enter_is_enter_before_the_terminal_is_ours_too(tui: "Tui", until: Any) -> None:
    tui.submit(2)
    tui.fail(*tui.claim())

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        type_at_once(app, "exclamation_mark", "ctrl+j")
        await until(pilot, "Choose a file with sound.")

    tui.run(steps)
