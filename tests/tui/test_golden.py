"""What each screen looks like, to the letter, at three sizes, with data and without.

`UPDATE_GOLDEN=1 pytest tests/tui/test_golden.py` writes the files anew: look at what changed.
"""

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.pilot import Pilot

from mediahost.model.ranges import TimeRange
from mediahost.model.result import MediaAnalysisResult, Transcription, Word
from mediahost.tui import job_facts, words
from mediahost.tui.app import MediahostApp
from mediahost.tui.filter_line import FilterLine

if TYPE_CHECKING:
    from tests.tui.conftest import Tui

GOLDEN = Path(__file__).with_name("golden")
SIZES = [(80, 24), (120, 36), (200, 50)]

# With their colours too.
DRAWN = SIZES[:2]
FONT = re.compile(r"@font-face \{.*?\}", re.DOTALL)
UNIQUE = re.compile(r"terminal-\d+-")

# What is pressed, and what is seen when the screen is whole.
SCREENS = {
    "jobs": ((), "✔ completed         2"),
    "filter": (("slash",), "did you mean failed?"),
    "result": (("G", "enter"), "00:04.0  Nothing moves."),
    "failed": (("G", "k", "k", "enter"), "Choose a file with sound."),
    "stats": (("4",), "2 completed, 1 failed"),
}
# Under 100 columns there are no counts at the left.
WHOLE_WHEN_NARROW = {"jobs": "1-5 of 5"}


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes."""
    for module in (words, job_facts):
        monkeypatch.setattr(module, "age", lambda *_: "5m")


def fill(tui: "Tui") -> None:
    tui.submit(4)
    tui.submit(1, "speech.vad")
    one, two, three, four = tui.claim(4)
    said = ("The sea is calm.", "Nothing moves.")
    spoken = tuple(
        Word(text=word, start=4.0 * line + at / 4, end=4.0 * line + at / 4 + 0.2)
        for line, text in enumerate(said)
        for at, word in enumerate(text.split())
    )
    ranges = (
        TimeRange(start=0.0, end=3.1, label="speech"),
        TimeRange(start=4.0, end=5.0, label="speech"),
        TimeRange(start=3.1, end=4.0, label="silence"),
    )
    heard = Transcription(provider="test", text=" ".join(said), words=spoken)
    tui.complete(one, result=MediaAnalysisResult(ranges=ranges, transcription=heard))
    tui.complete(two)
    tui.fail(three)
    tui.store.report_progress("here", {four.token: (0.61, "61 of 100")})


def plain(text: str, tui: "Tui") -> str:
    """The text without what differs from run to run."""
    text = text.replace(str(tui.data_dir), "DATA")
    text = re.sub(r"blake3:[0-9a-f]+…?", "HASH", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]+…?", "ID", text)
    return re.sub(r"\d{4}-\d\d-\d\d.\d\d:\d\d:\d\d", "MOMENT", text.replace("&#160;", " "))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_looks_as_it_did(
    tui: "Tui", until: Callable[..., Any], screen: str, size: tuple[int, int]
) -> None:
    keys, whole = SCREENS[screen]
    if size[0] < 100:
        whole = WHOLE_WHEN_NARROW.get(screen, whole)
    fill(tui)
    seen: list[str] = []
    drawn: list[str] = []

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-5 of 5")
        await until(pilot, "61%" if size[0] > 100 else "5 of 5")
        await until(pilot, "✖ 1" if size[0] > 80 else "5 of 5")
        if screen == "filter":  # at once: half of it is another filter
            app.screen.query_one(FilterLine).write("state:faled")
        await pilot.press(*keys)
        await until(pilot, whole)
        lines: list[str] = []
        async with asyncio.timeout(120):  # what never stands still is a fault
            while lines != seen or not lines:
                seen[:] = lines
                await pilot.pause(0.4)
                lines = await until(pilot, whole)

        drawn.append(app.export_screenshot())

    tui.run(steps, size)
    name = f"{screen}-{size[0]}x{size[1]}"
    compare(GOLDEN / f"{name}.txt", plain("\n".join(seen) + "\n", tui))
    if size in DRAWN and screen != "filter":  # where a cursor blinks
        compare(GOLDEN / f"{name}.svg", plain(UNIQUE.sub("", FONT.sub("", drawn[0])), tui))


def compare(golden: Path, text: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")
