"""What reaches the terminal, bit by bit."""

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widget import Widget

from mediahost.tui import facets
from mediahost.tui.app import MediahostApp
from mediahost.tui.jobs_screen import JobsScreen

if TYPE_CHECKING:
    from tests.tui.conftest import Tui

TIMEOUT_S = 60.0
CODE = re.compile(r"\x1b\[([\d;]*)([A-Za-z])")
Cells = dict[tuple[int, int], tuple[str, str]]


class Terminal:
    """The cells of a terminal, each with its sign and the codes of its colours."""

    def __init__(self) -> None:
        self.cells: Cells = {}
        self._x = self._y = 0
        self._colors = ""

    def write(self, text: str) -> None:
        """What the application sends."""
        at = 0
        for code in CODE.finditer(text):
            self._put(text[at : code.start()])
            at = code.end()
            if code[2] == "H":
                self._y, self._x = (int(number) - 1 for number in code[1].split(";"))
            elif code[2] == "m":
                self._colors = "" if code[1] == "0" else code[1]
        self._put(text[at:])

    def _put(self, text: str) -> None:
        for sign in text:
            if sign == "\n":
                self._x, self._y = 0, self._y + 1
            else:
                self.cells[self._y, self._x] = (sign, self._colors)
                self._x += 1


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal that gets all that the application paints."""
    terminal = Terminal()
    display = MediahostApp._display

    def shown(app: MediahostApp, screen: Any, renderable: Any) -> None:
        if renderable is not None:
            terminal.write(renderable.render_segments(app.console))
        display(app, screen, renderable)

    monkeypatch.setattr(MediahostApp, "_display", shown)
    return terminal


def whole(app: MediahostApp) -> Cells:
    """The screen as it would be painted at once."""
    terminal = Terminal()
    strips = app.screen._compositor.render_strips()
    terminal.write("\n".join(strip.render(app.console) for strip in strips))
    return terminal.cells


async def settled(pilot: Pilot[None], met: Callable[[], bool]) -> bool:
    """Whether it comes to be."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            while not met():
                await pilot.pause(0.02)
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
def test_what_is_painted_bit_by_bit_is_what_would_be_painted_at_once(
    tui: "Tui", until: Any, painted: Terminal, size: tuple[int, int]
) -> None:
    tui.submit(60)
    tui.submit(3, "speech.vad")
    one, two, three, four = tui.claim(4)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        async def is_whole() -> None:
            await settled(pilot, lambda: painted.cells == whole(app))
            assert painted.cells == whole(app)

        await until(pilot, "of 63")
        await pilot.press("G")
        tui.store.report_progress("here", {three.token: (0.61, "61 of 100")})
        await until(pilot, "61%")
        await is_whole()
        tui.complete(one)
        tui.fail(two)
        await until(pilot, lambda text: re.search(r" 2 +✖ failed", text))
        await pilot.press("k", "space", "k", "space")
        await is_whole()
        tui.submit(2, "av.thumbs")
        await until(pilot, "2 new, press .")
        await is_whole()
        await pilot.press("enter")
        await until(pilot, "Attempts   Config")
        tui.store.report_progress("here", {four.token: (0.3, "30 of 100")})
        await pilot.press("j")
        await is_whole()
        await pilot.press("escape", "question_mark")
        await until(pilot, "Keys here")
        tui.complete(three, four)
        await pilot.press("escape", "full_stop", "g")
        await until(pilot, "of 65")
        await is_whole()

    tui.run(steps, size)


def test_nothing_is_rendered_but_the_list_where_a_row_of_it_changed(
    tui: "Tui", until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tui.submit(60)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "of 60")
        assert isinstance(app.screen, JobsScreen)
        x, y, width, _ = app.screen.list.table.region
        rendered = []
        render_lines = Widget.render_lines

        def noted(widget: Widget, crop: Region) -> Any:
            rendered.append((type(widget).__name__, crop.height))
            return render_lines(widget, crop)

        monkeypatch.setattr(Widget, "render_lines", noted)
        compositor = app.screen._compositor
        compositor._dirty_regions = {Region(x, y + 3, width - 2, 1)}
        compositor.render_update()
        monkeypatch.undo()
        assert rendered == [("JobTable", 1)]

    tui.run(steps)


def test_actions_can_be_chosen_as_soon_as_they_are_counted(
    tui: "Tui", until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "COUNT_AT_MOST_EVERY_S", 3600.0)
    tui.submit(2)
    tui.submit(3, "speech.vad")

    async def steps(pilot: Pilot[None], _: MediahostApp) -> None:
        await until(pilot, lambda text: re.search(r"speech\.vad +3", text))

    tui.run(steps)
