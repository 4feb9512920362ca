"""How results look: on the axis, as pictures, by a plugin's own view, and when that is broken."""

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from textual.containers import Vertical
from textual.pilot import Pilot
from textual.widgets import Static

from mediahost.errors import UsageError
from mediahost.hashing import hash_bytes
from mediahost.model.ranges import TimeRange
from mediahost.model.result import (
    Artifact,
    MediaAnalysisResult,
    MediaProcessingResult,
    Transcription,
    Word,
)
from mediahost.plugin.hookspecs import hookimpl
from mediahost.plugin.registry import PluginRow, Registry
from mediahost.ports import Completion
from mediahost.settings import Pictures
from mediahost.tui.app import MediahostApp
from mediahost.tui.drawers import drawer_of
from mediahost.tui.parts import Transcript
from mediahost.tui.time_axis import TimeAxis

if TYPE_CHECKING:
    from tests.tui.conftest import Tui


def test_the_transcript_follows_the_axis_and_the_axis_the_transcript(
    tui: "Tui", until: Any
) -> None:
    words = tuple(Word(text=f"word{i}.", start=i, end=i + 0.9) for i in range(10))
    tui.submit(1)
    said = Transcription(provider="test", text="", words=words)
    ranges = (TimeRange(start=0, end=10, label="speech"),)
    tui.complete(*tui.claim(), result=MediaAnalysisResult(ranges=ranges, transcription=said))

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-1 of 1")
        await pilot.press("enter")
        await until(pilot, "00:03.0  word3.")
        axis, transcript = app.screen.query_one(TimeAxis), app.screen.query_one(Transcript)
        await until(pilot, lambda _: axis.has_focus)
        axis.go(4.0)
        await pilot.press("l")
        await until(pilot, lambda _: transcript.highlighted == 4)
        transcript.focus()
        await until(pilot, lambda _: transcript.has_focus)
        await pilot.press("down", "down")
        await until(pilot, lambda _: axis.at == 6.0)
        axis.focus()
        await until(pilot, lambda _: axis.has_focus)
        await pilot.press("z")
        await until(pilot, lambda _: axis.end - axis.start == 5.0)
        assert axis.start <= axis.at <= axis.end

    tui.run(steps)


def pictures_in(tui: "Tui", folder: Path) -> None:
    """A job that made a picture of 40 by 20 pixels, and a broken one."""
    good, bad = folder / "good.png", folder / "bad.png"
    Image.new("RGB", (40, 20), (200, 30, 30)).save(good)
    bad.write_bytes(b"no picture")
    tui.submit(1)
    artifacts = tuple(
        Artifact(path=path, asset_type="frame", size=1, file_hash=hash_bytes(b"x"))
        for path in (good, bad)
    )
    result = MediaProcessingResult(artifacts=artifacts)
    tui.store.commit("here", [Completion(tui.claim()[0], result, hash_bytes(b"r"), 5)])


@pytest.mark.parametrize("protocol", [("kitty", "\x1b_G"), ("sixel", "\x1bP")])
def test_terminals_draw_pictures_by_their_protocols(
    tui: "Tui",
    until: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    protocol: tuple[Pictures, str],
) -> None:
    pictures, sequence = protocol
    pictures_in(tui, tmp_path)
    written = io.StringIO()
    drawer = drawer_of(pictures)
    monkeypatch.setattr(sys, "__stdout__", written)  # where kitty's goes, past the screen

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-1 of 1")
        await pilot.press("enter")
        await until(pilot, lambda text: sequence in text + written.getvalue())
        await until(pilot, "bad.png can't be shown")

    tui.run(steps, (200, 50), drawer=drawer)


def test_a_missing_library_for_pictures_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual_image", None)
    assert drawer_of("half") is None
    with pytest.raises(UsageError, match="Pictures by sixel need a library"):
        drawer_of("sixel")


def test_pictures_are_drawn_and_a_broken_one_says_so(
    tui: "Tui", until: Any, tmp_path: Path
) -> None:
    pictures_in(tui, tmp_path)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-1 of 1")
        await pilot.press("enter")
        lines = await until(pilot, "bad.png can't be shown")
        assert sum("▀" * 40 in line for line in lines) == 10

    tui.run(steps, (200, 50))


def test_a_plugins_view_is_used_and_a_broken_one_is_replaced(tui: "Tui", until: Any) -> None:
    def broken(_shown: Any) -> Any:
        raise RuntimeError("no such widget")

    views = {"av.probe": lambda shown: Static(f"mine: {shown.job.number}"), "av.cut": broken}

    class Plugin:
        @hookimpl
        def mediahost_register_views(self) -> dict[str, Any]:
            return views

    registry = Registry()
    registry.register(Plugin(), PluginRow("mine", "", ""))
    tui.submit(1)
    tui.submit(1, "av.cut")
    tui.complete(*tui.claim(2))

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-2 of 2")
        await pilot.press("enter")
        await until(pilot, "beep")
        fault = "The view of av.cut can't be used: RuntimeError: no such widget"
        await until(pilot, lambda _: app.views.faults == [fault])
        await pilot.press("escape", "j", "enter")
        await until(pilot, "mine: 1")

    tui.run(steps, registry=registry)


class RaisesWhenMounted(Static):
    def on_mount(self) -> None:
        raise RuntimeError("mounted wrongly")


class RaisesWhenPainted(Static):
    def render_line(self, _y: int) -> Any:
        raise RuntimeError("painted wrongly")


class RaisesWhenLaidOut(Static):
    def get_content_height(self, *_: Any) -> int:
        raise RuntimeError("laid out wrongly")


class RaisesWhenComposed(Static):
    def compose(self) -> Any:
        raise RuntimeError("composed wrongly")


class RaisesLater(Static):
    def on_mount(self) -> None:
        self.set_timer(0.01, self.fall_over)

    def fall_over(self) -> None:
        raise RuntimeError("timed wrongly")


class RaisesInItsWorker(Static):
    def on_mount(self) -> None:
        self.run_worker(self.fall_over())

    async def fall_over(self) -> None:
        raise RuntimeError("worked wrongly")


class RaisesAtAKey(Static, can_focus=True):
    def on_focus(self) -> None:
        raise RuntimeError("keyed wrongly")


@pytest.mark.parametrize(
    "widget",
    [
        RaisesWhenMounted,
        RaisesWhenPainted,
        RaisesWhenLaidOut,
        RaisesWhenComposed,
        RaisesLater,
        RaisesInItsWorker,
        RaisesAtAKey,
    ],
)
def test_a_plugins_widget_that_fails_makes_room_for_the_fault(
    tui: "Tui", until: Any, widget: type[Static]
) -> None:
    class Plugin:
        @hookimpl
        def mediahost_register_views(self) -> dict[str, Any]:
            return {"av.probe": lambda _shown: Vertical(Static("before"), widget("inside"))}

    registry = Registry()
    registry.register(Plugin(), PluginRow("mine", "", ""))
    tui.submit(1)
    tui.complete(*tui.claim())

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-1 of 1")
        await pilot.press("enter")
        await until(pilot, "The view of av.probe can't be used: RuntimeError: ")
        await until(pilot, "beep")
        await until(pilot, lambda _: app.focused is not None and app.focused.is_attached)
        await pilot.press("escape")
        await until(pilot, lambda _: not app.screen.has_class("open"))
        await pilot.press("enter")
        await until(pilot, "The view of av.probe can't be used: RuntimeError: ")
        assert len(app.views.faults) == 1

    tui.run(steps, registry=registry)
