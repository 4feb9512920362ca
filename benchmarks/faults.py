"""Faults: how soon a crash is seen, a cancelled attempt ended, and a killed host's processes gone.

    python -m benchmarks faults

Called by itself, with the name of a folder, it is the host that is killed.
"""

import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from uuid import uuid4

from benchmarks.report import Report
from mediahost.executor.local import LocalExecutor
from mediahost.model.job import Token
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.ports import AttemptSpec, Ended, ExecutorEvent

TITLE = "Faults: milliseconds, the median and worst of {times}"

PLUGIN = str(Path(__file__).with_name("wreck.py"))
GRACE_S = 0.2
PATIENCE_S = 60.0
POLL_S = 0.001


def measure(*, quick: bool) -> Report:
    """Each fault a few times."""
    times = 5 if quick else 15
    report = Report("faults", TITLE.format(times=times))
    for name, goal_ms, fault in (
        ("a worker's crash is seen", 10.0, _crash),
        ("C code that holds the lock is ended, past its grace", 100.0, _cancel),
        ("no process is left of a killed host", 1000.0, _kill),
    ):
        took = sorted(_in_a_folder(fault) * 1000 for _ in range(times))
        report.add(name, median(took), "ms", f"{took[-1]:.1f} ms at worst")
        report.at_most(f"{name} within {goal_ms:g} ms", median(took), goal_ms, "ms")
    return report


def _in_a_folder(fault: object) -> float:
    with tempfile.TemporaryDirectory(prefix="mediahost-benchmark-") as name:
        folder = Path(name)
        (folder / "tone.wav").write_bytes(b"RIFF" + bytes(1000))
        return fault(folder)  # type: ignore[operator,no-any-return]


def _crash(folder: Path) -> float:
    with _running(folder, "wreck.die") as (_, events, _token):
        _end(events)
        return time.monotonic() - float((folder / "died").read_text())


def _cancel(folder: Path) -> float:
    with _running(folder, "wreck.hang") as (executor, events, token):
        _wait_for(folder / "hangs")
        began = time.monotonic()
        executor.cancel(token, GRACE_S)
        _end(events)
        return time.monotonic() - began - GRACE_S


def _kill(folder: Path) -> float:
    with subprocess.Popen([sys.executable, "-m", "benchmarks.faults", str(folder)]) as host:
        left = [int(pid) for pid in _wait_for(folder / "hangs").split()]
        host.kill()
        began = time.monotonic()
        while any(_runs(pid) for pid in left):
            time.sleep(POLL_S)
        return time.monotonic() - began


@contextmanager
def _running(
    folder: Path, action: str
) -> Iterator[tuple[LocalExecutor, "queue.SimpleQueue[ExecutorEvent]", Token]]:
    """An attempt at an action, and what is heard of it."""
    events: queue.SimpleQueue[ExecutorEvent] = queue.SimpleQueue()
    executor = LocalExecutor(1, plugins=[PLUGIN])
    executor.start(events.put)
    token = Token(uuid4(), 1)
    media = MediaFile(folder / "tone.wav", MediaKind.AUDIO)
    workdir = str(folder / "work")
    executor.submit(AttemptSpec(token, action, {}, media, workdir, str(folder / "log")))
    try:
        yield executor, events, token
    finally:
        executor.stop(drain=False, grace_s=0.0)


def _end(events: "queue.SimpleQueue[ExecutorEvent]") -> None:
    while not isinstance(events.get(timeout=PATIENCE_S), Ended):
        pass


def _wait_for(note: Path) -> str:
    ends_at = time.monotonic() + PATIENCE_S
    while not note.exists():
        if time.monotonic() > ends_at:
            raise TimeoutError(f"nobody wrote {note}")
        time.sleep(POLL_S)
    return note.read_text()


def _runs(pid: int) -> bool:
    """Whether there is such a process, other than one that nobody has waited for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


if __name__ == "__main__":
    with _running(Path(sys.argv[1]), "wreck.hang"):
        time.sleep(PATIENCE_S)
