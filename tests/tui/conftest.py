"""The TUI on a real store, driven by a pilot."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets._toast import Toast

from mediahost.hashing import hash_bytes
from mediahost.model.job import ClaimedJob, Failure, JobRequest, Outcome
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.ranges import TimeRange
from mediahost.model.result import MediaAnalysisResult
from mediahost.plugin.registry import Registry
from mediahost.ports import Completion, Setback
from mediahost.settings import Settings, load_settings
from mediahost.store import SqlStore, open_store
from mediahost.tui.app import MediahostApp
from mediahost.tui.session import Session
from mediahost.wiring import make_store

HOST = "here"
TIMEOUT_S = 60.0
SMALL, MIDDLE, LARGE = (80, 24), (120, 36), (200, 50)

Steps = Callable[[Pilot[None], MediahostApp], Awaitable[None]]

PLUGIN = """
from typing import Literal
from pydantic import Field
from mediahost import Analyzer, MediaAnalysisResult, hookimpl

class Look(Analyzer, name="look.at", version=1, accepts={"audio"}):
    "Look at it."
    depth: int = Field(1, ge=1, le=9, description="How deep")
    way: Literal["up", "down"] = "up"

    def analyze(self, media, context):
        return MediaAnalysisResult(metadata={"depth": self.depth})

@hookimpl
def mediahost_register_actions():
    return [Look]
"""


class Tui:
    """A data folder with a store, and the TUI on it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.store: SqlStore = open_store(data_dir / "store.db")
        self.changes: dict[str, Any] = {"data_dir": data_dir, "workers": 1, "attempts": 3}

    @property
    def settings(self) -> Settings:
        """What the TUI is opened with."""
        return load_settings(environ={}, folder=self.data_dir, overrides=self.changes)

    def submit(self, count: int, action: str = "av.probe") -> None:
        """So many jobs, each on a file of its own."""
        self.store.submit([request(f"{action}-{index:04}.wav", action) for index in range(count)])

    def claim(self, count: int = 1) -> list[ClaimedJob]:
        """Take jobs, the oldest first."""
        return self.store.claim(HOST, count, 600)

    def complete(self, *jobs: ClaimedJob, result: MediaAnalysisResult | None = None) -> None:
        """End them well."""
        found = result or MediaAnalysisResult(ranges=(TimeRange(start=1, end=2, label="beep"),))
        self.store.commit(
            HOST, [Completion(job, found, hash_bytes(b"result"), 1500) for job in jobs]
        )

    def fail(self, *jobs: ClaimedJob) -> None:
        """End them badly."""
        failure = Failure("The file has no audio stream", "Choose a file with sound.")
        self.store.commit(
            HOST, [], [Setback(job, Outcome.ERROR, failure, None, 20) for job in jobs]
        )

    def run(self, steps: Steps, size: tuple[int, int] = MIDDLE, **options: Any) -> None:
        """Open the TUI, take the steps, close it."""
        registry = options.pop("registry", None) or Registry()

        async def driven() -> None:
            session = Session(
                self.settings,
                make_store(self.settings, browse=True),
                registry,
                pictures=not options.get("ascii_only"),
            )
            try:
                app = MediahostApp(session, **options)
                async with app.run_test(size=size, notifications=True) as pilot:
                    await steps(pilot, app)
            finally:
                session.close()

        asyncio.run(driven())


def request(name: str, action: str = "av.probe") -> JobRequest:
    media = MediaFile(Path("/in") / name, MediaKind.AUDIO, hash_bytes(name.encode()))
    return JobRequest(action, 1, {"format": "mp3"}, media, hash_bytes(action.encode()))


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that was just made."""
    path = tmp_path_factory.mktemp("fresh") / "store.db"
    open_store(path).close()
    return path


@pytest.fixture
def tui(tmp_path: Path, fresh: Path) -> Iterator[Tui]:
    """The TUI on an empty store."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(fresh, data / "store.db")
    made = Tui(data)
    yield made
    made.store.close()


@pytest.fixture
def look() -> Callable[[MediahostApp], list[str]]:
    """The lines that a person sees, without the spaces behind them."""

    def lines(app: MediahostApp) -> list[str]:
        return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]

    return lines


@pytest.fixture
def until(look: Callable[[MediahostApp], list[str]]) -> Callable[..., Awaitable[list[str]]]:
    """Wait until something is seen: a text, or what a function finds in the lines.

    A toast breaks its lines wherever a path in it ends: what it says is read unbroken.
    """

    def told(app: MediahostApp) -> list[str]:
        return [toast.render().plain for toast in app.screen.query(Toast) if toast.size]

    async def wait(pilot: Pilot[None], wanted: str | Callable[[str], object]) -> list[str]:
        app = pilot.app
        assert isinstance(app, MediahostApp)
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                lines = look(app)
                text = "\n".join([*lines, *told(app)])
                if wanted in text if isinstance(wanted, str) else wanted(text):
                    return lines
                try:
                    await pilot.pause(0.02)
                except asyncio.CancelledError:
                    pytest.fail(f"{wanted!r} is not seen in:\n{text}")

    return wait


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """One good plugin and one that is broken."""
    good, bad = tmp_path / "looking.py", tmp_path / "broken.py"
    good.write_text(PLUGIN)
    bad.write_text("import no_such_module\n")
    loaded = Registry()
    loaded.load_module(str(good))
    loaded.load_module(str(bad))
    loaded.load_module("mediahost.executor.builtin")
    return loaded
