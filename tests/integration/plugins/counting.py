"""A plugin that notes each of its runs in a side file, so that tests can count them.

COUNT_FILE names the file; each run appends `action name`. START_FIFO, where it is set, hears of
each start. ACTION_VERSION is the version of `count.look`.
"""

import os
import time
from pathlib import Path

from pydantic import Field

from mediahost import (
    Action,
    Analyzer,
    Artifact,
    Context,
    MediaAnalysisResult,
    MediaFile,
    MediaProcessingResult,
    Processor,
    TimeRange,
    hookimpl,
)

POLL_S = 0.01
LONGEST_WAIT_S = 300


def note(action: str, media: MediaFile) -> None:
    """Note a run: one write, so that several processes don't mix their lines."""
    line = f"{action} {media.path.name!r}\n".encode()
    for variable in ("COUNT_FILE", "START_FIFO"):
        if path := os.environ.get(variable):
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
            os.write(descriptor, line)
            os.close(descriptor)


class Look(Analyzer, name="count.look", version=int(os.environ.get("ACTION_VERSION", "1"))):
    """Say how large the file is."""

    depth: int = Field(1, ge=1, description="Changes the result")
    flavour: str = Field("plain", description="Doesn't change the result")

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        note("look", media)
        context.progress(0.5, "looking")
        size = media.path.stat().st_size
        return MediaAnalysisResult(metadata={"size": size, "depth": self.depth})


class Cut(Processor, name="count.cut", version=1):
    """Cut the file into parts."""

    parts: int = Field(2, ge=1)
    pause_s: float = Field(0.0, ge=0)

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        note("cut", media)
        time.sleep(self.pause_s)
        data = media.path.read_bytes()
        step = -(-len(data) // self.parts)
        (context.workdir / "scratch.tmp").write_bytes(data)
        artifacts = []
        for number in range(self.parts):
            path = context.workdir / "parts" / f"part{number}.wav"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data[number * step : (number + 1) * step])
            artifacts.append(Artifact(path=path, asset_type="audio"))
        return MediaProcessingResult(artifacts=tuple(artifacts))


class Follow(Analyzer, name="count.follow", version=1):
    """Hand on what the steps before found."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        note("follow", media)
        return MediaAnalysisResult(
            ranges=(TimeRange(start=0, end=1, label="followed"),),
            metadata={name: dict(given.metadata) for name, given in context.inputs.items()},
        )


class Wait(Analyzer, name="count.wait", version=1):
    """Wait until the file named OPEN is there, as a well-behaved long action does."""

    flavour: str = "plain"

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        note("wait", media)
        gate = Path(os.environ["OPEN"])
        # Tests that are killed open no gate and end no program.
        ends_at = time.monotonic() + LONGEST_WAIT_S
        while not gate.exists():
            if time.monotonic() > ends_at:
                raise TimeoutError(f"Nobody made {gate}")
            context.progress(0.25, "waiting")
            time.sleep(POLL_S)
        return MediaAnalysisResult(metadata={"size": media.path.stat().st_size})


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host the actions."""
    return [Look, Cut, Follow, Wait]
