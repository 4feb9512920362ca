"""Keys do the same everywhere."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import OptionList

from mediahost.model.watch import Watch
from mediahost.plugin.registry import Registry
from mediahost.tui.app import MediahostApp
from mediahost.tui.facets import Facets
from mediahost.tui.jobs_screen import JobsScreen
from mediahost.tui.watch_screen import WatchForm
from mediahost.watch.enrolment import enrol

if TYPE_CHECKING:
    from tests.tui.conftest import Tui


def test_letters_move_wherever_arrows_do(tui: "Tui", until: Any, registry: Registry) -> None:
    tui.submit(1)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, lambda text: re.search(r"av\.probe +1\b", text))
        facets = app.screen.query_one(Facets).focus()
        await pilot.press("g", "j", "j", "k")
        await until(pilot, lambda _: facets.highlighted == 2)
        await pilot.press("question_mark")
        await until(pilot, "Keys here")
        pane = app.screen.query_one(VerticalScroll)
        await pilot.press("j", "j")
        await until(pilot, lambda _: pane.scroll_offset.y == 2)
        await pilot.press("G")
        await until(pilot, "Esc closes this.")
        await pilot.press("escape", "3")
        await until(pilot, "look.at")
        listed = app.screen.query(OptionList).first()
        await until(pilot, lambda _: listed.has_focus)
        before = listed.highlighted or 0
        await pilot.press("j")
        await until(pilot, lambda _: listed.highlighted == before + 1)

    tui.run(steps, (120, 24), registry=registry)


def test_the_tab_is_turned_from_the_list_too(tui: "Tui", until: Any) -> None:
    tui.submit(2)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-2 of 2")
        assert isinstance(app.screen, JobsScreen)
        table = app.screen.list.table
        await pilot.press("enter")
        await until(pilot, "[Summary]")
        await until(pilot, lambda _: app.focused is not table)
        table.focus()
        await pilot.press("right_square_bracket")
        await until(pilot, "[Log]")
        await pilot.press("j", "left_square_bracket")
        await until(pilot, "[Summary]")
        assert app.focused is table
        assert table.cursor == 1

    tui.run(steps)


def test_the_palette_names_each_deed_once_with_all_its_keys(tui: "Tui", until: Any) -> None:
    tui.submit(1)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-1 of 1")
        offered = [(one.title, one.help) for one in app.get_system_commands(app.screen)]
        assert len(dict(offered)) == len(offered)
        assert dict(offered)["Down"] == "Key: down  j"
        assert dict(offered)["Failed only"] == "Key: !"

    tui.run(steps)


def test_a_watch_needs_a_folder_and_begins_with_it(tui: "Tui", until: Any, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("2")
        await until(pilot, "No folder is watched.")
        await pilot.press("a")
        await until(pilot, "ctrl+s keeps it")
        await until(pilot, lambda _: app.focused is not None and app.focused.id == "field-0")
        await pilot.press("ctrl+s")
        await until(pilot, "Field required")
        assert isinstance(app.screen, WatchForm)
        await pilot.press(*str(tmp_path), "ctrl+s")
        await until(pilot, "not running")

    tui.run(steps, registry=Registry.load())
    assert [Path(row.rule["path"]) for row in tui.store.watches()] == [tmp_path]


def test_what_a_watch_would_do_is_forgotten_with_it(
    tui: "Tui", until: Any, registry: Registry, tmp_path: Path
) -> None:
    rule = {"name": "inbox", "path": tmp_path, "steps": ({"action": "look.at"},)}
    enrol(tui.store, Watch.model_validate(rule), "command")

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await pilot.press("2")
        await until(pilot, "inbox")
        await pilot.press("t")
        await until(pilot, "A dry run: ")
        await pilot.press("d")
        await until(pilot, "Forget the watch inbox?")
        await pilot.press("y")
        await until(pilot, lambda text: "No folder" in text and "A dry run" not in text)

    tui.run(steps, registry=registry)
