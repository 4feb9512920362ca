"""What each screen looks like, to the letter, at three sizes: with data, without, and in error.

`UPDATE_GOLDEN=1 pytest tests/tui/test_golden.py` writes the files anew: look at what changed.
"""

import asyncio
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.pilot import Pilot

from mediahost.errors import StoreError
from mediahost.hashing import FileStat
from mediahost.host.identity import new_host_name
from mediahost.model.hosts import Heartbeat, HostStatus
from mediahost.model.ranges import TimeRange
from mediahost.model.result import MediaAnalysisResult, Transcription, Word
from mediahost.model.watch import FileState, Watch
from mediahost.plugin.registry import Registry
from mediahost.ports import WatchedFile
from mediahost.testing.media import write_wav
from mediahost.tui import hosts_screen, job_facts, words
from mediahost.tui.app import MediahostApp
from mediahost.tui.filter_line import FilterLine
from mediahost.tui.session import Session
from mediahost.tui.submit_request import SubmitRequest
from mediahost.watch.enrolment import enrol

if TYPE_CHECKING:
    from tests.tui.conftest import Tui

GOLDEN = Path(__file__).with_name("golden")
LARGE, MIDDLE, SMALL = (200, 50), (120, 36), (80, 24)
# Of these also the colours are kept.
DRAWN = {"jobs", "result", "failed", "watch", "plugins", "stats", "hosts", "submit", "help"}
FONT = re.compile(r"@font-face \{.*?\}", re.DOTALL)
UNIQUE = re.compile(r"terminal-\d+-")
MEDIA = "tone.wav"
HOST = Heartbeat(new_host_name(), "studio", 4711, "1.2", "local", 4, 1, HostStatus.WORKING)


@dataclass(frozen=True)
class View:
    """A screen as it is to be looked at.

    Attributes:
        whole: What is seen at any size when it is whole.
        keys: What is pressed.
        holds: Whether there is anything in the store.
        asked: What is to be submitted.
        writes: What is written into the filter.
        fault: Why the store can't be read after the first time.
        theme: The theme.
    """

    whole: str
    keys: tuple[str, ...] = ()
    holds: bool = True
    asked: SubmitRequest | None = None
    writes: str = ""
    fault: str = ""
    theme: str = "dark"


VIEWS = {
    "jobs": View("1-5 of 5"),
    "jobs-light": View("1-5 of 5", theme="light"),
    "jobs-empty": View("There are no jobs yet.", holds=False),
    "jobs-nothing": View("Esc clears the filter.", writes="av.convert"),
    "jobs-stale": View("! stale", fault="The store is locked by another program"),
    "filter": View("did you mean failed?", writes="state:faled"),
    "result": View("00:04.0  Nothing moves.", ("G", "enter")),
    "failed": View("Choose a file with sound.", ("G", "k", "k", "enter")),
    "log": View("This attempt has written no log.", ("G", "k", "k", "l")),
    "config": View('"format": "mp3"', ("G", "enter", *2 * ["right_square_bracket"])),
    "attempts": View("error after 20 ms", ("G", "k", "k", "enter", *3 * ["right_square_bracket"])),
    "cancel": View("Cancel all 5 jobs?", ("asterisk", "x")),
    "pause": View("Pause all jobs", ("p",)),
    "watch": View("inbox", ("2",)),
    "watch-empty": View("No folder is watched.", ("2",), holds=False),
    "watch-form": View("ctrl+s keeps it", ("2", "a"), holds=False),
    "plugins": View("How deep", ("3", "down")),
    "plugins-broken": View("The module no_such_module is missing", ("3", "down", "down")),
    "stats": View("2 completed, 1 failed", ("4",)),
    "stats-empty": View("Nothing failed.", ("4",), holds=False),
    "hosts": View("● working", ("5",)),
    "hosts-empty": View("Press h to start one.", ("5",), holds=False),
    "submit": View("1 would run", asked=SubmitRequest("look.at", {"depth": 3}, [Path(MEDIA)])),
    "submit-empty": View("Choose files, and what to do", ("n",)),
    "submit-wrong": View(
        "The config doesn't fit yet.", asked=SubmitRequest("look.at", {"depth": 30}, [Path(MEDIA)])
    ),
    "help": View("Keys here", ("question_mark",)),
}


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes, and every disk is the same."""
    for module in (words, job_facts):
        monkeypatch.setattr(module, "age", lambda *_: "5m")
    monkeypatch.setattr(hosts_screen, "span", lambda *_: "5m")
    monkeypatch.setattr(hosts_screen, "size", lambda *_: "1.0 GiB")


@pytest.fixture
def tui(tui: "Tui", monkeypatch: pytest.MonkeyPatch) -> Iterator["Tui"]:
    """The TUI in a folder whose name is as long everywhere."""
    folder = Path(tempfile.mkdtemp(prefix="golden-", dir="/tmp"))
    shutil.copy(tui.data_dir / "store.db", folder)
    write_wav(folder / MEDIA, (0.1, 440))
    monkeypatch.chdir(folder)
    made = type(tui)(folder)
    yield made
    made.store.close()
    shutil.rmtree(folder)


def fill(tui: "Tui") -> None:
    tui.submit(4)
    tui.submit(1, "speech.vad")
    one, two, three, four = tui.claim(4)
    tui.complete(one, result=heard())
    tui.complete(two)
    tui.fail(three)
    tui.store.report_progress("here", {four.token: (0.61, "61 of 100")})
    tui.store.beat(HOST)
    watch(tui)


def heard() -> MediaAnalysisResult:
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
    return MediaAnalysisResult(ranges=ranges, transcription=heard)


def watch(tui: "Tui") -> None:
    """One watch that is at work, and one that nobody watches."""
    health = {
        "state": "degraded",
        "reason": "Its file system tells nothing of changes",
        "file_system": "nfs4",
        "folders": 2,
        "problems": ["takes/secret can't be read: permission denied"],
    }
    enrol(tui.store, Watch(name="inbox", path=Path("/in/inbox")), "command")
    enrol(tui.store, Watch(name="old tapes", path=Path("/in/tapes")), "command")
    tui.store.keep_watch("inbox", host=HOST.host, seen_at=time.time(), health=health)
    stat, now = FileStat(1, 1, 1, 1, 1), time.time()
    states = {
        FileState.FAILED: "look.at: The file has no audio stream\nChoose a file with sound.",
        FileState.SETTLING: "it is still being written",
        FileState.QUEUED: "",
        FileState.DONE: "",
    }
    (row, _) = tui.store.watches()
    tui.store.keep_watched(
        row.id,
        [
            WatchedFile("takes", f"{state}.wav", stat, state, why, 1, None, now, now)
            for state, why in states.items()
        ],
    )


@pytest.fixture
def registry(registry: Registry) -> Registry:
    """Where a plugin broke, in the words of no version of Python."""
    told = "ModuleNotFoundError: No module named 'no_such_module'"
    for at, row in enumerate(registry.rows):
        name = Path(row.name).name
        error = row.error and row.error.replace(row.name, name)
        registry.rows[at] = replace(row, name=name, error=error, traceback=told if error else "")
    return registry


@pytest.mark.parametrize("name", VIEWS)
def test_a_screen_looks_as_it_did(
    tui: "Tui",
    until: Callable[..., Any],
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    view = VIEWS[name]
    seen: dict[str, str] = {}
    if view.holds:
        fill(tui)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-5 of 5" if view.holds else "There are no jobs yet.")
        if view.holds:
            await until(pilot, "61%")
            await until(pilot, "✔ completed         2")
            await until(pilot, "\n Action ")
            await until(pilot, "● 1 host")
        if view.fault:
            monkeypatch.setattr(Session, "changes", failing(view.fault))
            tui.store.beat(HOST)  # it changes nothing that is seen, and is heard of
            await until(pilot, view.fault)
            app.clear_notifications()
        if view.writes:
            app.screen.query_one(FilterLine).write(view.writes)
        if view.asked is not None:
            app.post_message(view.asked)
        await pilot.press(*view.keys)
        for size in (LARGE, MIDDLE, SMALL):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda text, size=size: len(text.splitlines()) == size[1])
            seen[f"{name}-{size[0]}x{size[1]}.txt"] = await at_rest(pilot, until, view.whole)
            if name in DRAWN and size == MIDDLE:
                drawn = UNIQUE.sub("", FONT.sub("", app.export_screenshot()))
                seen[f"{name}-{size[0]}x{size[1]}.svg"] = drawn

    tui.run(steps, LARGE, registry=registry, theme=view.theme)
    for file, text in seen.items():
        compare(GOLDEN / file, plain(text, tui))


def failing(why: str) -> Callable[..., Any]:
    async def changes(*_: object) -> None:
        raise StoreError(why)

    return changes


async def at_rest(pilot: Pilot[None], until: Callable[..., Any], whole: str) -> str:
    """What is seen when nothing changes any more."""
    before: list[str] = []
    async with asyncio.timeout(120):  # what never stands still is a fault
        while True:
            lines = await until(pilot, whole)
            if lines == before:
                return "\n".join(lines) + "\n"
            before = lines
            await pilot.pause(0.3)


def plain(text: str, tui: "Tui") -> str:
    """The text without what differs from run to run."""
    text = text.replace("&#160;", " ").replace(tui.data_dir.name, "golden-########")
    text = re.sub(r"blake3:[0-9a-f]+…?", "HASH", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]+…?", "ID", text)
    return re.sub(r"\d{4}-\d\d-\d\d.\d\d:\d\d:\d\d", "MOMENT", text)


def compare(golden: Path, text: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")
