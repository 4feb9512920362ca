"""The host's parts on a store in memory, with actions that note their runs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mediahost import (
    Action,
    Analyzer,
    Artifact,
    Context,
    MediaAnalysisResult,
    MediaFile,
    MediaProcessingResult,
    Processor,
    hookimpl,
)
from mediahost.cached import Hit
from mediahost.executor.inline import InlineExecutor
from mediahost.hashing import CacheKey, hash_file
from mediahost.host.artifacts import ArtifactFolder
from mediahost.host.attempts import Attempts, Limits
from mediahost.host.files import Candidate, FileHashes
from mediahost.host.host import Host
from mediahost.host.inputs import Inputs
from mediahost.host.planner import Planned, Planner, Recipe, request_for
from mediahost.host.walk import walk
from mediahost.model.job import ClaimedJob, JobRequest
from mediahost.model.pipeline import Pipeline
from mediahost.plugin import builtin
from mediahost.plugin.registry import PluginRow, Registry
from mediahost.ports import Completion
from mediahost.settings import Settings
from mediahost.store.memory import MemoryStore
from mediahost.testing.media import write_wav

HOST = "here"
LEASE_S = 60.0


class Look(Analyzer, name="t.look", version=1):
    """Says how large a file is."""

    depth: int = 1
    note: str = ""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        context.checkpoint()
        return MediaAnalysisResult(
            metadata={"size": media.path.stat().st_size, "depth": self.depth}
        )


class Newer(Look, name="t.look", version=2):
    """The same of a later version."""


class Cut(Processor, name="t.cut", version=1, accepts={"audio"}):
    """Makes two files."""

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        for number in "12":
            (context.workdir / f"part{number}.wav").write_bytes(media.path.read_bytes() * 2)
        artifacts = [Artifact(path=f"part{number}.wav", asset_type="audio") for number in "12"]
        return MediaProcessingResult(artifacts=tuple(artifacts))


class Follow(Analyzer, name="t.follow", version=1):
    """Says what it was given."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return MediaAnalysisResult(metadata={"given": sorted(context.inputs)})


class Ask(Analyzer, name="t.ask", version=1, pool="network", max_inflight=4):
    """Would ask a server."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return MediaAnalysisResult()


class Break(Analyzer, name="t.break", version=1):
    """Fails."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        raise ValueError("broken")


class Plugin:
    """Registers what it is given."""

    def __init__(self, actions: Sequence[type[Action]]) -> None:
        self._actions = actions

    @hookimpl
    def mediahost_register_actions(self) -> Sequence[type[Action]]:
        """Give the actions."""
        return self._actions


@dataclass
class FixedClock:
    """A clock that stands until it is set."""

    now_ns: int = field(default_factory=time.time_ns)

    def time_ns(self) -> int:
        """What it was set to."""
        return self.now_ns


@dataclass
class House:
    """The parts, joined as the host joins them."""

    folder: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: FixedClock = field(default_factory=FixedClock)
    registry: Registry = field(default_factory=Registry)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self.media = self.folder / "media"
        self.media.mkdir()
        self.registry.register(builtin, PluginRow("builtin", "", ""))
        self.install(Look, Cut, Follow, Ask, Break)
        self.files = FileHashes(self.store, self.clock, threads=1)
        self.artifacts = ArtifactFolder(self.folder / "data", HOST)
        self.artifacts.open(lambda _host: False)

    def install(self, *actions: type[Action]) -> None:
        """Register actions."""
        self.registry.register(Plugin(actions), PluginRow(f"test {actions}", "", ""))

    def upgrade(self) -> None:
        """Have a later version of `t.look`."""
        self.registry = Registry()
        self.registry.register(builtin, PluginRow("builtin", "", ""))
        self.install(Newer, Cut, Follow, Ask, Break)

    @property
    def planner(self) -> Planner:
        """A planner."""
        return Planner(self.store, self.registry, self.files)

    @property
    def attempts(self) -> Attempts:
        """Attempts."""
        return Attempts(
            self.store,
            self.registry,
            self.files,
            self.artifacts,
            self.limits,
            inputs=Inputs(None, self.store.algorithm),
        )

    def host(self, **settings: Any) -> Host:
        """A whole host, whose attempts run in this process."""
        return Host(
            Settings(data_dir=self.folder / "data", workers=1, **settings),
            self.store,
            self.registry,
            lambda: InlineExecutor(registry=self.registry),
            self.clock,
        )

    def tone(self, name: str = "a.wav", hertz: int = 440) -> Path:
        """A short sound file."""
        return write_wav(self.media / name, (0.01, hertz))

    def recipe(self, *steps: Mapping[str, Any], named: bool = True) -> Recipe:
        """A recipe of these steps."""
        pipeline = Pipeline.model_validate({"name": "test", "steps": steps})
        return self.planner.recipe(pipeline, named=named)

    def roots(self) -> list[Candidate]:
        """The media files."""
        walked = walk([self.media])
        return self.files.of_found(walked.found, walked.problems)

    def evaluate(self, recipe: Recipe) -> list[Planned]:
        """Where everything stands."""
        return self.planner.evaluate(recipe, self.roots())

    def request(self, recipe: Recipe, source: str = "test") -> JobRequest:
        """The request of the first row that misses a result."""
        rows = [row for row in self.evaluate(recipe) if row.state == "missing"]
        return request_for(recipe, rows[0], source)

    def claim(self, request: JobRequest) -> ClaimedJob:
        """The job of a request, claimed."""
        self.store.submit([request])
        (job,) = self.store.claim(HOST, 1, LEASE_S)
        return job

    def keep(self, recipe: Recipe, metadata: Mapping[str, Any], elapsed_ms: int = 5) -> Hit:
        """Commit a result for the first row that misses one."""
        job = self.claim(self.request(recipe))
        result = MediaAnalysisResult(metadata=dict(metadata))
        hashed = f"hash of {sorted(metadata.items())}"
        self.store.commit(HOST, [Completion(job, result, hashed, elapsed_ms)])
        request = job.request
        key = CacheKey(request.media.file_hash or "", request.config_hash)
        return self.store.find_hits([key])[key]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A new one."""
    return House(tmp_path)


@pytest.fixture
def hashed_paths(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are really read."""
    read: list[str] = []

    def noting(path: str, *args: Any, **kwargs: Any) -> Any:
        read.append(Path(path).name)
        return hash_file(path, *args, **kwargs)

    monkeypatch.setattr("mediahost.host.files.hash_file", noting)
    return read
