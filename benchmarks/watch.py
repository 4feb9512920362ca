"""Watch folders: lost files, latency, idle CPU and the reconcile, beside watchdog and watchfiles.

The peers only announce paths, and nothing is settled, hashed, queued or run by them; mediahost's
figures are those of its jobs.
"""

import json
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from benchmarks import peers
from benchmarks.corpus import WORK
from benchmarks.host import PROGRAM, Installation
from benchmarks.report import Report
from mediahost.hashing import FileStat
from mediahost.model.media import MediaKind
from mediahost.model.watch import FileState, Watch
from mediahost.ports import WatchedFile
from mediahost.store import open_store
from mediahost.watch.ledger import Ledger, place_of
from mediahost.watch.reconcile import reconcile
from mediahost.watch.scan import Scan
from mediahost.watch.wanted import Wanted

TITLE = "Watch folders: {burst:,} files in a burst, {idle:,} folders idle, {known:,} files known"
PROGRAMS = Path(__file__).with_name("programs")
PLUGIN = Path(__file__).with_name("stamps.py")
STAMPS = WORK / "stamps"
PEERS = ("watchdog", "watchfiles")

P50_MS, P99_MS = 100, 1000
IDLE_SHARE = 0.5
RECONCILE_S = 3
QUIET_S = 6.0
BUSY_S = 0.1
LONGEST_S = 300.0


def measure(*, quick: bool) -> Report:
    """All of it; quick: a tenth of the files and folders."""
    peers.install()
    share = 10 if quick else 1
    burst, idle, known = 20_000 // share, 20_000 // share, 200_000 // share
    report = Report("watch", TITLE.format(burst=burst, idle=idle, known=known))
    _bursts(report, burst, folders=burst // 10)
    _latencies(report, 60 if quick else 200)
    _idleness(report, idle, seconds=10 if quick else 30)
    _reconcile(report, known)
    return report


class Watcher:
    """A program that says a line for each path, and when it heard of each."""

    def __init__(self, process: "subprocess.Popen[str]", is_ready: Callable[[str], bool]) -> None:
        self.process = process
        self.heard: dict[str, float] = {}
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._last = time.monotonic()
        threading.Thread(target=self._read, daemon=True).start()
        while not is_ready(self._lines.get(timeout=LONGEST_S)):
            pass

    def _read(self) -> None:
        for line in self.process.stdout or ():
            now = time.time()
            self._last = time.monotonic()
            self._lines.put(line)
            name = self._name_in(line)
            if name:
                self.heard.setdefault(name, now)

    @staticmethod
    def _name_in(line: str) -> str | None:
        news = json.loads(line)
        if news.get("state", "done") != "done" or not news["path"].endswith(".wav"):
            return None
        return os.path.basename(news["path"])  # noqa: PTH119 - text in, text out

    def wait(self, number: int) -> None:
        """Wait until so many paths were heard of, or nothing is heard any more."""
        end = time.monotonic() + LONGEST_S
        while len(self.heard) < number and time.monotonic() < end:
            if time.monotonic() - self._last > QUIET_S:
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
        pids = [self.process.pid, *_children(self.process.pid)]
        return sum(map(_cpu_s, pids))


@contextmanager
def _running(argv: list[str | Path], environ: dict[str, str], ready: str) -> Iterator[Watcher]:
    process = subprocess.Popen(
        argv,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Watcher(process, lambda line: ready in line)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def _watcher(name: str, folder: Path) -> Iterator[Watcher]:
    if name == "mediahost":
        installation = Installation.named("watch", empty=True)
        argv = [PROGRAM, "watch", folder, "--action", "bench.stamp", "--json"]
        STAMPS.unlink(missing_ok=True)
        plugin = {"MEDIAHOST_PLUGINS": str(PLUGIN), "BENCH_STAMPS": str(STAMPS)}
        with _running(argv, {**installation.environ, **plugin}, '"watching"') as watcher:
            yield watcher
    else:
        argv = [peers.PYTHON, PROGRAMS / f"{name}_paths.py", folder]
        with _running(argv, {}, '"ready"') as watcher:
            yield watcher


def _empty_folder() -> Path:
    folder = WORK / "watched"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _bursts(report: Report, number: int, folders: int) -> None:
    for name in ("mediahost", *PEERS):
        folder = _empty_folder()
        with _watcher(name, folder) as watcher:
            began = time.monotonic()
            for index in range(number):
                place = folder / f"{index % folders // 40}" / f"{index % folders}"
                place.mkdir(parents=True, exist_ok=True)
                (place / f"{index}.wav").write_bytes(b"%d" % index)
            wrote = time.monotonic() - began
            watcher.wait(number)
            lost = 100 * (number - len(watcher.heard)) / number
            note = f"{number:,} files in {folders:,} new folders within {wrote:.1f} s"
            report.add(f"{name}: lost of a burst", lost, "%", note)
            if name == "mediahost":
                took = time.monotonic() - began
                report.add(
                    "mediahost: until all are done", took, "s", f"{number / took:,.0f} files/s"
                )
                report.at_most("nothing is lost of a burst", lost, 0, "%")


def _latencies(report: Report, number: int) -> None:
    for name in ("mediahost", *PEERS):
        folder = _empty_folder()
        with _watcher(name, folder) as watcher:
            closed = {}
            for index in range(number):
                file = f"{index}.wav"
                if index % 2:
                    aside = WORK / file
                    aside.write_bytes(b"moved %d" % index)
                    aside.rename(folder / file)
                else:
                    (folder / file).write_bytes(b"closed %d" % index)
                closed[file] = time.time()
                time.sleep(0.05)
            watcher.wait(number)
            _note_latency(report, f"{name}: from close to told", watcher.heard, closed)
            if name == "mediahost":
                started = dict(line.rsplit(" ", 1) for line in STAMPS.read_text().splitlines())
                starts = {file: float(at) for file, at in started.items()}
                p50, p99 = _note_latency(report, "mediahost: from close to start", starts, closed)
                report.at_most("from close to start: median", p50, P50_MS, "ms")
                report.at_most("from close to start: 99 %", p99, P99_MS, "ms")


def _note_latency(
    report: Report, what: str, heard: dict[str, float], closed: dict[str, float]
) -> tuple[float, float]:
    waits = [1000 * (heard[file] - closed[file]) for file in heard]
    p50, p99 = median(waits), quantiles(waits, n=100)[98]
    report.add(f"{what}, median", p50, "ms")
    report.add(f"{what}, 99 %", p99, "ms")
    return p50, p99


def _idleness(report: Report, number: int, seconds: float) -> None:
    folder = _empty_folder()
    for index in range(number):
        (folder / f"{index // 100}" / f"{index}").mkdir(parents=True)
    for name in ("mediahost", *PEERS):
        with _watcher(name, folder) as watcher:
            watcher.wait_until_at_rest()
            before = watcher.cpu_s()
            time.sleep(seconds)
            share = 100 * (watcher.cpu_s() - before) / seconds
        report.add(f"{name}: CPU while idle", share, "% of a core", f"{number:,} folders")
        if name == "mediahost":
            report.at_most("at most 0.5 % of a core while idle", share, IDLE_SHARE, "%")
    shutil.rmtree(folder)


def _reconcile(report: Report, number: int) -> None:
    folder = _empty_folder()
    for index in range(number // 100):
        place = folder / f"{index // 50}" / f"{index}"
        place.mkdir(parents=True)
        for file in range(100):
            (place / f"{file}.wav").touch()
    rule = Watch(path=folder)
    wanted = Wanted(rule, MediaKind)
    data = Installation.named("reconcile", empty=True).data_dir
    data.mkdir(parents=True)
    store = open_store(data / "store.db")
    store.keep_watch("bench", path=str(folder), rule={}, origin="named")
    (row,) = store.watches()
    ledger = Ledger(store, row.id)
    walk = Scan(str(folder), wanted, lambda _folder: None)
    for listing in walk.listings():
        for file in listing.files:
            place_folder, place_name = place_of(file)
            known = WatchedFile(
                place_folder, place_name, file.stat, FileState.DONE, "", 1, "blake3:0", 0.0, 0.0
            )
            ledger.keep(known)
    ledger.flush(now=True)
    floor = min(_timed(lambda: _stats_in(folder)) for _ in range(2))
    took = []
    for _ in range(3):
        scan = Scan(str(folder), wanted, lambda _folder: None)
        took.append(_timed(lambda scan=scan: reconcile(scan, ledger, "")))
    store.close()
    report.add("scandir and lstat alone", floor, "s CPU", f"{number:,} files")
    best = report.add("mediahost: the reconcile, warm", median(took), "s CPU", f"{number:,} files")
    report.at_most(
        "200,000 files are reconciled in at most 3 s", best * 200_000 / number, RECONCILE_S, "s"
    )
    shutil.rmtree(folder)


def _stats_in(folder: Path) -> int:
    count = 0
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    FileStat.of(entry.stat(follow_symlinks=False))
                    count += 1
    return count


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_children(int(child))]
    return found


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
