"""Queues as their users call them: programs that submit jobs, work on them, and can be killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peers
from benchmarks.corpus import WORK
from benchmarks.measure import Cost, environment, once
from benchmarks.servers import Server

HERE = Path(__file__).parent
POLL_S = 0.01
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A queue to compare with.

    Attributes:
        name: What the report calls it.
        program: Its program's name in benchmarks/programs.
        server: What keeps its jobs: a file of SQLite, `postgres` or `redis`.
        batch: How many jobs it is given and takes at a time; None: it is not asked.
        slow: Whether a fifth of the jobs tells enough.
    """

    name: str
    program: str
    server: str
    batch: int | None = None
    slow: bool = True

    @property
    def database(self) -> str:
        """A name for its database."""
        return "".join(char for char in self.name if char.isalnum())


OURS = Peer("mediahost", "mediahost", "sqlite", slow=False)
PEERS = (
    Peer("huey", "huey", "sqlite", slow=False),
    Peer("pgqueuer, batches of 100", "pgqueuer", "postgres", batch=100, slow=False),
    Peer("pgqueuer, one by one", "pgqueuer", "postgres", batch=1),
    Peer("procrastinate", "procrastinate", "postgres"),
    Peer("dramatiq", "dramatiq", "redis"),
    Peer("celery", "celery", "redis"),
    Peer("taskiq", "taskiq", "redis"),
)


class Queue:
    """One of them, empty at first.

    Args:
        peer: Which.
        purpose: Where its files are: queues for different purposes know nothing of each other.
        server: Its server, if it has one.
        nap_s: Seconds that each job sleeps.
    """

    def __init__(self, peer: Peer, purpose: str, server: Server | None, nap_s: float = 0.0) -> None:
        self.peer = peer
        self.server = server
        folder = WORK / f"engine-{purpose}" / peer.database
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.ran = folder / "ran"
        self._folder = folder
        python = sys.executable if peer is OURS else str(peers.PYTHON)
        self._program = [python, str(HERE / "programs" / f"{peer.program}_noops.py")]
        self._environ: dict[str, str] = {
            **environment(),
            "RAN": str(self.ran),
            "NAP_S": str(nap_s),
            "MEDIAHOST_WORKER_VARIABLES": "NAP_S RAN",
            **(_settings(folder) if peer is OURS else {}),
            "QUEUE": server.url(f"{peer.database}_{purpose}") if server else str(folder / "queue"),
            "BATCH": str(peer.batch or ""),
        }

    def submit(self, jobs: int) -> Cost:
        """Submit so many jobs, numbered from 0."""
        self.ran.write_bytes(b"")
        return once([*self._program, "submit", str(jobs)], environ=self._environ)

    def start(self) -> "subprocess.Popen[bytes]":
        """Start its workers."""
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*self._program, "work"],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def work(self, jobs: int) -> Cost:
        """What it costs to run what was submitted, in time until the last job has run.

        Raises:
            RuntimeError: It does not come to its end.
        """
        began = time.perf_counter()
        process = self.start()
        done = self.wait_for(jobs)
        wall = time.perf_counter() - began
        # Ours ends when nothing is left to do.
        if self.peer is not OURS or not done:
            process.send_signal(signal.SIGINT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if not done:
            raise RuntimeError(f"{self.peer.name} ran {len(self.runs())} of {jobs} jobs")
        return Cost(wall, usage.ru_utime + usage.ru_stime)

    def wait_for(self, jobs: int, patience_s: float = PATIENCE_S) -> bool:
        """Wait until so many different jobs have run; whether they have."""
        ends_at = time.monotonic() + patience_s
        while True:
            lines = self.ran.read_bytes().count(b"\n")
            if lines >= jobs and len(self.runs()) >= jobs:
                return True
            if time.monotonic() > ends_at:
                return False
            time.sleep(POLL_S)

    def runs(self) -> Counter[str]:
        """How often each job has run to its end."""
        return Counter(self.ran.read_text().split())

    def done(self) -> set[str]:
        """The jobs that it says are done; only ours is asked."""
        said = subprocess.run(
            [*self._program, "done"], env=self._environ, check=True, capture_output=True, text=True
        )
        return set(said.stdout.split())


def _settings(folder: Path) -> Mapping[str, str]:
    return {
        "MEDIAHOST_DATA_DIR": str(folder / "data"),
        "MEDIAHOST_PLUGINS": str(HERE / "note.py"),
        "MEDIAHOST_WORKERS": "2",
        "PYTHONPATH": str(HERE.parent),
    }
