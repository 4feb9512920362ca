"""Each executor, ready to run the plugin that commits every fault."""

import queue
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mediahost.executor.dask import DaskExecutor, DaskOptions
from mediahost.executor.inline import InlineExecutor
from mediahost.executor.isolated import IsolatedExecutor
from mediahost.executor.local import LocalExecutor
from mediahost.model.job import Token
from mediahost.model.media import MediaFile
from mediahost.ports import AttemptSpec, Ended, Executor, ExecutorEvent, Progress

FAULTS = str(Path(__file__).with_name("faults.py"))

# Nothing here takes long; a test that waits for so many seconds hangs.
PATIENCE_S = 60.0


class Rig:
    """An executor, a media file, and all that the executor has said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[ExecutorEvent] = []
        self._ends: dict[Token, list[Ended]] = {}
        self.media = folder / "tone.wav"
        self.media.write_bytes(b"RIFF" + bytes(1000))
        self._queue: queue.SimpleQueue[ExecutorEvent] = queue.SimpleQueue()
        self._running: list[Executor] = []
        # Whether attempts may share a process, unless one says so itself.
        self.shared = False
        self.executor: Executor

    def start(self, executor: Executor) -> None:
        """Use this executor."""
        self.executor = executor
        self._running.append(executor)
        executor.start(self._queue.put)

    def close(self) -> None:
        """Stop all of them; whatever has ended has ended once."""
        for executor in self._running:
            executor.stop(drain=False, grace_s=0.2)
        while not self._queue.empty():
            self._hear(self._queue.get())
        assert all(len(of_one) == 1 for of_one in self._ends.values())

    def spec(self, action: str, *, timeout_s: float | None = None, **config: Any) -> AttemptSpec:
        """An attempt at an action of the faults plugin."""
        job_id = uuid4()
        return AttemptSpec(
            Token(job_id, 1),
            f"faults.{action}",
            config,
            MediaFile.at(self.media),
            str(self.folder / job_id.hex),
            str(self.folder / "logs" / f"{job_id.hex}.log"),
            timeout_s=timeout_s,
            shared=self.shared,
        )

    def submit(self, action: str, *, timeout_s: float | None = None, **config: Any) -> AttemptSpec:
        """Submit such an attempt."""
        spec = self.spec(action, timeout_s=timeout_s, **config)
        self.executor.submit(spec)
        return spec

    def wait_until(self, happened: Callable[[], Any]) -> None:
        """Listen to the executor until something is so."""
        ends_at = time.monotonic() + PATIENCE_S
        while not happened():
            left = ends_at - time.monotonic()
            assert left > 0, f"waited in vain; the last heard: {self.events[-5:]}"
            with suppress(queue.Empty):
                self._hear(self._queue.get(timeout=min(left, 0.05)))

    def ends(self, *specs: AttemptSpec) -> list[Ended]:
        """How these attempts ended, each exactly once."""
        for spec in specs:
            self.wait_until(partial(self._ends.get, spec.token))
        assert [len(self._ends[spec.token]) for spec in specs] == [1] * len(specs)
        return [self._ends[spec.token][0] for spec in specs]

    def end(self, spec: AttemptSpec) -> Ended:
        """How this attempt ended."""
        return self.ends(spec)[0]

    def progress(self, spec: AttemptSpec) -> list[Progress]:
        """What it has told of its progress so far."""
        return [
            event
            for event in self.events
            if isinstance(event, Progress) and event.token == spec.token
        ]

    def wait_for_progress(self, spec: AttemptSpec) -> None:
        """Until the attempt is in its action."""
        self.wait_until(lambda: self.progress(spec))

    def _hear(self, event: ExecutorEvent) -> None:
        self.events.append(event)
        if isinstance(event, Ended):
            self._ends.setdefault(event.token, []).append(event)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A rig without an executor yet."""
    rig = Rig(tmp_path)
    yield rig
    rig.close()


@pytest.fixture(params=["local", "shared", "inline", "isolated", "dask"])
def any_rig(request: pytest.FixtureRequest, rig: Rig) -> Rig:
    """Each executor."""
    if request.param == "local":
        rig.start(LocalExecutor(2, plugins=[FAULTS], grace_s=0.2))
    elif request.param == "shared":
        rig.shared = True
        rig.start(LocalExecutor(2, plugins=[FAULTS], grace_s=0.2))
    elif request.param == "inline":
        rig.start(InlineExecutor(plugins=[FAULTS]))
    elif request.param == "isolated":
        rig.start(isolated_executor())
    else:
        rig.start(dask_executor(rig, request.getfixturevalue("dask_cluster").address))
    return rig


def isolated_executor() -> IsolatedExecutor:
    """An executor that runs the actions of the faults plugin in an environment of their own."""
    main = LocalExecutor(2, grace_s=0.2)
    python = Path(sys.executable)
    names = "fin fine copy follows loads fault nonsense outside meet"
    return IsolatedExecutor(
        main,
        {f"faults.{name}": python for name in names.split()},
        lambda python: LocalExecutor(2, python=str(python), plugins=[FAULTS], grace_s=0.2),
    )


def dask_executor(rig: Rig, address: str) -> DaskExecutor:
    """An executor on two Dask workers that see the rig's folder."""
    options = DaskOptions(address, str(rig.folder / "exchange"))
    return DaskExecutor(options, plugins=[FAULTS], grace_s=0.2)


@pytest.fixture
def process_rig(rig: Rig) -> Rig:
    """Each executor whose attempts have a process of their own: no fault reaches the host."""
    rig.start(LocalExecutor(2, plugins=[FAULTS], grace_s=0.2))
    return rig


@pytest.fixture
def faults() -> str:
    """The plugin that commits every fault."""
    return FAULTS
