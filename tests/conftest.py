"""Servers of the wide world, each a real one on the loopback."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# On a machine that others use too a single call may take any time.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")

# Who starts the tests in the background has SIGINT ignored, and so would the programs that they
# start: those that are to be interrupted would go on for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# In a process of its own: it brings a web framework, whose warnings are not ours.
_SERVE_S3 = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class S3:
    """A server that speaks S3, and how fsspec gets there."""

    endpoint: str

    @property
    def options(self) -> dict[str, Any]:
        """Options of the file system."""
        return {"endpoint_url": self.endpoint, "key": "testing", "secret": "testing"}

    @property
    def files(self) -> Any:
        """The file system."""
        import s3fs  # noqa: PLC0415 - slow, and few tests want it

        return s3fs.S3FileSystem(**self.options, use_listings_cache=False, skip_instance_cache=True)


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """An S3 server with the empty bucket `media`."""
    environ = {**os.environ, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _SERVE_S3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environ,
    )
    assert server.stdin
    assert server.stdout
    with server.stdin, server.stdout:
        served = S3(f"http://127.0.0.1:{server.stdout.readline().strip()}")
        served.files.mkdir("media")
        yield served
        server.stdin.close()
        server.wait(30)


@dataclass
class DaskCluster:
    """A Dask scheduler and its workers, each a process of its own."""

    folder: Path
    options: Sequence[str] = ()
    environ: dict[str, str] | None = None
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    PATIENCE_S = 60.0

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return str(json.loads((self.folder / "scheduler.json").read_text())["address"])

    def start(self, workers: int) -> None:
        """Start the scheduler and so many workers."""
        note = str(self.folder / "scheduler.json")
        protocol = ["--protocol", "tls"] if self.options else []
        self._start("scheduler", "--scheduler-file", note, "--port", "0", *protocol)
        ends_at = time.monotonic() + self.PATIENCE_S
        while not Path(note).exists():
            assert time.monotonic() < ends_at, "no scheduler"
            assert self.processes[0].poll() is None, "the scheduler has ended"
            time.sleep(0.02)
        for _ in range(workers):
            self.add_worker()

    def add_worker(self) -> "subprocess.Popen[bytes]":
        """Start another worker with one thread."""
        return self._start(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--memory-limit", "0"
        )

    def close(self) -> None:
        """End all of it."""
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
        for process in self.processes:
            process.wait(30)

    def _start(self, kind: str, *options: str) -> "subprocess.Popen[bytes]":
        own = [] if kind == "scheduler" else ["--local-directory", str(self.folder)]
        with (self.folder / f"{kind}.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-W", "ignore", "-m", "distributed.cli.dask_" + kind),
                    *options,
                    *("--host", "127.0.0.1", "--no-dashboard"),
                    *own,
                    *self.options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environ,
            )
        self.processes.append(process)
        return process


@pytest.fixture(scope="session")
def dask_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A scheduler and two workers, to be left as they are."""
    cluster = DaskCluster(tmp_path_factory.mktemp("dask"))
    cluster.start(workers=2)
    yield cluster
    cluster.close()


@pytest.fixture
def own_dask_cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    """A cluster of the test's own, not started yet."""
    folder = tmp_path / "dask"
    folder.mkdir()
    cluster = DaskCluster(folder)
    yield cluster
    cluster.close()
