"""A plugin that commits every fault that must stay in its own job."""

import ctypes
import os
import time
from pathlib import Path
from typing import Any

from mediahost import (
    Action,
    Analyzer,
    Artifact,
    Context,
    MediaAnalysisResult,
    MediaFile,
    MediaProcessingResult,
    Processor,
    TransientError,
    hookimpl,
)


class Segfault(Analyzer, name="faulty.segfault", version=1):
    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        ctypes.string_at(0)
        raise AssertionError("not reached")


class Hang(Analyzer, name="faulty.hang", version=1, timeout_s=0.4):
    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        while True:
            time.sleep(60)


class Deaf(Analyzer, name="faulty.deaf", version=1):
    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        descriptor = os.open(os.environ["START_FIFO"], os.O_WRONLY)
        os.write(descriptor, b"deaf\n")
        os.close(descriptor)
        while True:
            time.sleep(60)


class Together(Analyzer, name="faulty.together", version=1, pool="network", max_inflight=4):
    """Four meet in one process; the bad one crashes, each time, and the others wait for that."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        here = Path(os.environ["OPEN"])
        here.mkdir(exist_ok=True)
        mine = here / media.path.stem
        is_first = not mine.exists()
        mine.write_text(str(os.getpid()))
        print("here is", media.path.stem)  # noqa: T201 - it belongs in the log
        while len(list(here.iterdir())) < 4:
            context.checkpoint()
            time.sleep(0.01)
        if media.path.stem == "bad":
            os.abort()
        while is_first:
            time.sleep(0.01)
        return MediaAnalysisResult(metadata={"fine": True})


class Raise(Analyzer, name="faulty.raise", version=1):
    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        raise KeyError("no such thing\nat all")


class Transient(Analyzer, name="faulty.transient", version=1):
    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        with Path(os.environ["COUNT_FILE"]).open("a") as file:
            file.write("transient\n")
        raise TransientError("The network is down")


class Garbage(Analyzer, name="faulty.garbage", version=1):
    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        os.write(1, bytes(range(256)) * 40)
        os.write(2, bytes(range(256)) * 40)
        print('{"ended": true}', "\udcff")  # noqa: T201 - that is the fault
        return MediaAnalysisResult(metadata={"fine": True})


class Nonsense(Analyzer, name="faulty.nonsense", version=1):
    def analyze(self, media: MediaFile, context: Context) -> Any:
        return {"ranges": "all of them"}


class Outside(Processor, name="faulty.outside", version=1):
    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        path = context.workdir.parent / "escaped.wav"
        path.write_bytes(media.path.read_bytes())
        return MediaProcessingResult(artifacts=(Artifact(path=path, asset_type="audio"),))


class Vanished(Processor, name="faulty.vanished", version=1):
    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        return MediaProcessingResult(artifacts=(Artifact(path="no.wav", asset_type="audio"),))


class Meddle(Analyzer, name="faulty.meddle", version=1):
    """Change the media file while it is processed, the first time."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        once = Path(os.environ["OPEN"])
        size = media.path.stat().st_size
        if not once.exists():
            once.touch()
            with media.path.open("ab") as file:
                file.write(b"more")
        return MediaAnalysisResult(metadata={"size": size})


class Flicker(Analyzer, name="faulty.flicker", version=1):
    """Change the media file and change it back, the first time."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        once = Path(os.environ["OPEN"])
        size = media.path.stat().st_size
        if not once.exists():
            once.touch()
            with media.path.open("ab") as file:
                file.write(b"more")
                file.truncate(size)
            size = -1  # as if it had been read in between
        return MediaAnalysisResult(metadata={"size": size})


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host the actions."""
    return [
        Segfault,
        Hang,
        Deaf,
        Together,
        Raise,
        Transient,
        Garbage,
        Nonsense,
        Outside,
        Vanished,
        Meddle,
        Flicker,
    ]
