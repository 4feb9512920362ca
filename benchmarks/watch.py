"""Watch folders: lost files, latency, idle CPU and the reconcile, beside watchdog and watchfiles.

The peers only announce paths, and nothing is settled, hashed, queued or run by them; mediahost's
figures are those of its jobs.
"""

import os
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from benchmarks import peers, watch_losses
from benchmarks.corpus import WORK
from benchmarks.host import Installation
from benchmarks.report import Report
from benchmarks.watchers import ALL, STAMPS, empty_folder, watcher
from mediahost.hashing import FileStat
from mediahost.model.kinds import MediaKind
from mediahost.model.watch import FileState, Watch
from mediahost.ports import WatchedFile
from mediahost.store import open_store
from mediahost.watch.ledger import Ledger, place_of
from mediahost.watch.reconcile import reconcile
from mediahost.watch.scan import Scan
from mediahost.watch.wanted import Wanted

TITLE = "Watch folders: {burst:,} files in a burst, {idle:,} folders idle, {known:,} files known"

P50_MS, P99_MS = 100, 1000
IDLE_SHARE = 0.5
RECONCILE_S = 3


def measure(*, quick: bool) -> Report:
    """All of it; quick: a tenth of the files and folders."""
    peers.install()
    share = 10 if quick else 1
    burst, idle, known = 20_000 // share, 20_000 // share, 200_000 // share
    report = Report("watch", TITLE.format(burst=burst, idle=idle, known=known))
    watch_losses.bursts(report, burst)
    watch_losses.overflows(report, burst)
    watch_losses.watch_limits(report, 1000 // share)
    watch_losses.kills(report)
    watch_losses.half_written(report, 1 if quick else 4)
    _latencies(report, 60 if quick else 200)
    _idleness(report, idle, seconds=10 if quick else 30)
    _reconcile(report, known)
    return report


def _latencies(report: Report, number: int) -> None:
    for name in ALL:
        folder = empty_folder()
        with watcher(name, folder) as watching:
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
            watching.wait(number)
            _note_latency(report, f"{name}: from close to told", watching.heard, closed)
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
    folder = empty_folder()
    for index in range(number):
        (folder / f"{index // 100}" / f"{index}").mkdir(parents=True)
    for name in ALL:
        with watcher(name, folder) as watching:
            watching.wait_until_at_rest()
            before = watching.cpu_s()
            time.sleep(seconds)
            share = 100 * (watching.cpu_s() - before) / seconds
        report.add(f"{name}: CPU while idle", share, "% of a core", f"{number:,} folders")
        if name == "mediahost":
            report.at_most("at most 0.5 % of a core while idle", share, IDLE_SHARE, "%")
    shutil.rmtree(folder)


def _reconcile(report: Report, number: int) -> None:
    folder = empty_folder()
    for index in range(number // 100):
        place = folder / f"{index // 50}" / f"{index}"
        place.mkdir(parents=True)
        for number_of_file in range(100):
            (place / f"{number_of_file}.wav").touch()
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
        took.append(_timed(partial(reconcile, scan, ledger, "")))
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
