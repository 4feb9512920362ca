"""Programs that watch a folder: mediahost, and peers that only say which paths they heard of."""

import json
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import peers
from benchmarks.corpus import WORK
from benchmarks.host import PROGRAM, Installation

PROGRAMS = Path(__file__).with_name("programs")
PLUGIN = Path(__file__).with_name("stamps.py")
STAMPS = WORK / "stamps"
PEERS = ("watchdog", "watchfiles")
ALL = ("mediahost", *PEERS)

# A program that has said nothing for so long will say nothing more; mediahost also runs the jobs.
QUIET_S = {"mediahost": 60.0, "watchdog": 6.0, "watchfiles": 6.0}
BUSY_S = 0.1
LONGEST_S = 600.0


class Watcher:
    """A program that says a line for each path, and when it heard of each.

    Attributes:
        heard: When each file was first told of, in Unix seconds, by name; of mediahost, when it
            was done.
    """

    def __init__(self, name: str, process: "subprocess.Popen[str]", ready: Sequence[str]) -> None:
        self.name = name
        self.process = process
        self.heard: dict[str, float] = {}
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._last = time.monotonic()
        threading.Thread(target=self._read, daemon=True).start()
        while not any(word in (line := self._lines.get(timeout=LONGEST_S)) for word in ready):
            if not line:
                raise RuntimeError(f"{name} ended before it was ready")

    def _read(self) -> None:
        for line in self.process.stdout or ():
            now = time.time()
            self._last = time.monotonic()
            self._lines.put(line)
            name = self._name_in(line)
            if name:
                self.heard.setdefault(name, now)
        self._lines.put("")

    @staticmethod
    def _name_in(line: str) -> str | None:
        news = json.loads(line)
        if news.get("state", "done") != "done" or not news["path"].endswith(".wav"):
            return None
        return Path(news["path"]).name

    def wait(self, number: int) -> None:
        """Wait until so many paths were heard of, or nothing is heard any more."""
        end = time.monotonic() + LONGEST_S
        self._last = time.monotonic()
        while len(self.heard) < number and time.monotonic() < end:
            if time.monotonic() - self._last > QUIET_S[self.name]:
                return
            time.sleep(0.05)

    def wait_until_at_rest(self) -> None:
        """Wait until it has come to know all the folders: until it works no longer."""
        end = time.monotonic() + LONGEST_S
        busy = True
        while busy and time.monotonic() < end:
            before = self.cpu_s()
            time.sleep(1)
            busy = self.cpu_s() - before > BUSY_S

    def cpu_s(self) -> float:
        """CPU seconds so far, of all its processes."""
        return sum(map(_cpu_s, [self.process.pid, *_children(self.process.pid)]))

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(60)


@contextmanager
def watcher(
    name: str,
    folder: Path,
    *,
    anew: bool = True,
    settle: float | None = None,
    prefix: Sequence[str] = (),
    ready: Sequence[str] = ('"watching"',),
) -> Iterator[Watcher]:
    """Start one of `ALL` on a folder.

    Args:
        name: Which.
        folder: What it watches.
        anew: mediahost knows nothing of earlier starts.
        settle: mediahost's settle time in seconds.
        prefix: A program that starts it.
        ready: Words of which one says that it watches; of peers it is always `ready`.
    """
    environ = dict(os.environ)
    if name == "mediahost":
        installation = Installation.named("watch", empty=anew)
        argv = [str(PROGRAM), "watch", str(folder), "--action", "bench.stamp", "--json"]
        argv += [] if settle is None else ["--settle", str(settle)]
        if anew:
            STAMPS.unlink(missing_ok=True)
        environ |= installation.environ
        environ |= {"MEDIAHOST_PLUGINS": str(PLUGIN), "BENCH_STAMPS": str(STAMPS)}
        environ["MEDIAHOST_WORKER_VARIABLES"] = "BENCH_STAMPS"
    else:
        argv = [str(peers.PYTHON), str(PROGRAMS / f"{name}_paths.py"), str(folder)]
        ready = ('"ready"',)
    process = subprocess.Popen(
        [*prefix, *argv],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Watcher(name, process, ready)
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()


def empty_folder() -> Path:
    """The folder that is watched, with nothing in it."""
    folder = WORK / "watched"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def drop(folder: Path, number: int, folders: int) -> float:
    """Write so many small files, all of other content, into new nested folders.

    Returns:
        How long that took, in seconds.
    """
    began = time.monotonic()
    for index in range(number):
        place = folder / f"{index % folders // 40}" / f"{index % folders}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{index}.wav").write_bytes(b"%d" % index)
    return time.monotonic() - began


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_children(int(child))]
    return found


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
