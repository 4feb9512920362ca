"""What must not be forgotten: other keys, little room, faults, a newer store, pauses."""

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from textual.pilot import Pilot

from mediahost.errors import StoreError, UnknownName, UsageError
from mediahost.model.pause import Pause, PauseKind
from mediahost.tui.app import MediahostApp
from mediahost.tui.facets import Facets
from mediahost.tui.job_table import JobTable
from mediahost.tui.session import Session

if TYPE_CHECKING:
    from tests.tui.conftest import Tui


def test_keys_and_filters_of_the_settings_are_used(tui: "Tui", until: Any) -> None:
    tui.changes["tui_keys"] = {"jobs.mark": "m", "jobs.filter": "ctrl+f"}
    tui.changes["tui_filters"] = {"to look at": "unresolved:yes"}
    tui.submit(2)
    tui.fail(*tui.claim())

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        lines = await until(pilot, "1-2 of 2")
        assert "ctrl+f filter" in lines[-1]
        table = app.screen.query_one(JobTable)
        await pilot.press("space", "m")
        await until(pilot, lambda _: table.marked == {2})
        await until(pilot, "to look at")
        facets = app.screen.query_one(Facets).focus()
        await until(pilot, lambda _: facets.has_focus)
        await pilot.press("end", "enter")
        await until(pilot, "1-1 of 1")

    tui.run(steps)


def test_a_key_for_what_does_not_exist_is_refused(tui: "Tui") -> None:
    tui.changes["tui_keys"] = {"jobs.cancle": "c"}

    async def steps(_pilot: Pilot[None], _app: MediahostApp) -> None:
        pytest.fail("it was opened")

    with pytest.raises(UnknownName, match=r"did you mean jobs\.cancel\?"):
        tui.run(steps)


def test_a_saved_filter_that_makes_no_sense_is_refused(tui: "Tui") -> None:
    tui.changes["tui_filters"] = {"bad": "state:faled"}
    with pytest.raises(UsageError, match=r"tui_filters: .*faled"):
        _ = tui.settings


def test_a_terminal_that_is_too_small_says_so_until_it_is_not(tui: "Tui", until: Any) -> None:
    tui.submit(1)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "mediahost needs 60 columns and 15 lines.")
        await pilot.resize_terminal(80, 24)
        await until(pilot, "1-1 of 1")
        await pilot.resize_terminal(80, 10)
        await until(pilot, "mediahost needs")
        await pilot.resize_terminal(120, 36)
        await until(pilot, "1-1 of 1")

    tui.run(steps, (40, 20))


def test_a_fault_leaves_a_report_without_anybodys_data(tui: "Tui", until: Any) -> None:
    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "There are no jobs yet.")

        def fall_over() -> None:
            password = "tell nobody"  # noqa: S105 - the test's own
            raise RuntimeError("out of order", len(password))

        app.call_later(fall_over)
        await until(pilot, lambda _: app.report is not None)

    with pytest.raises(RuntimeError, match="out of order"):
        tui.run(steps)
    (report,) = (tui.data_dir / "crashes").iterdir()
    text = report.read_text()
    assert "RuntimeError: ('out of order', 11)" in text
    assert "Python 3" in text
    assert "120x36" in text


def test_what_is_shown_is_stale_while_the_store_cannot_be_read(
    tui: "Tui", until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tui.submit(2)

    async def locked(*_: object) -> None:
        raise StoreError("The store is locked by another program")

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-2 of 2")
        with monkeypatch.context() as patched:
            patched.setattr(Session, "changes", locked)
            tui.submit(1, "speech.vad")
            await until(pilot, "! stale")
            await until(pilot, "The store is locked by another program")
            # The last rows seen stay.
            await until(pilot, "/in/av.probe-0001.wav")
        await until(pilot, "1-3 of 3")
        await until(pilot, lambda text: "! stale" not in text)
        await until(pilot, "/in/speech.vad-0000.wav")

    tui.run(steps)


def test_a_newer_store_is_looked_at_and_left_as_it_is(tui: "Tui", until: Any) -> None:
    tui.submit(2)
    with closing(sqlite3.connect(tui.data_dir / "store.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-2 of 2")
        await until(pilot, "! read-only")
        await pilot.press("x")
        await until(pilot, "It was made by a newer mediahost")
        await pilot.press("h")
        await until(pilot, "start that one's host")
        app.clear_notifications()
        await pilot.press("5")  # what was said goes; why it is so stays
        await until(pilot, lambda text: re.search(r"read-only +It was made by a newer", text))

    tui.run(steps)
    assert len(tui.store.jobs()) == 2


def test_what_is_said_stays_until_it_can_be_read(tui: "Tui", until: Any) -> None:
    said = " ".join(["word"] * 60)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "There are no jobs yet.")
        app.notify("Done")
        app.notify(said)
        await until(pilot, said)
        assert {one.message: one.timeout for one in app._notifications} == {"Done": 5, said: 20}

    tui.run(steps)


def test_jobs_of_an_action_are_paused_and_resumed(tui: "Tui", until: Any) -> None:
    tui.submit(1)
    mine = Pause(PauseKind.ACTION, "av.probe")

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-1 of 1")
        await pilot.press("p")
        await until(pilot, "Pause action av.probe")
        await pilot.press("j", "enter")
        await until(pilot, "‖ paused")
        assert tui.store.pauses() == [mine]
        await pilot.press("p")
        await until(pilot, "Resume action av.probe")
        await pilot.press("j", "enter")
        await until(pilot, lambda text: "‖ paused" not in text)
        assert tui.store.pauses() == []

    tui.run(steps)
