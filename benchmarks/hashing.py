"""Hashing with the page cache warm: one large file, and many small ones."""

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from blake3 import blake3

from benchmarks import corpus, peers
from benchmarks.measure import Cost, command, function
from benchmarks.report import Report
from mediahost.hashing import hash_file

TITLE = "Hashing, page cache warm (by the clock, since several threads take part; medians)"

OF_B3SUM = 0.85
GIB = 1 << 30
SMALL_BYTES = 100_000
CHUNK_BYTES = 1 << 20

# What the program that mediahost replaces reached on the machine that the goals were set on.
SEED_GB_A_SECOND = 1.3


def measure(*, quick: bool) -> Report:
    """Both, ours and others."""
    report = Report("hashing", TITLE)
    peers.install()
    b3sum = peers.b3sum()
    _large(report, b3sum, GIB // (8 if quick else 1))
    _small(report, b3sum, 1000 if quick else 10_000)
    return report


def _large(report: Report, b3sum: str | None, size: int) -> None:
    path = corpus.large_file(size)
    _read(path)

    def note(name: str, cost: Cost, beside: str = "") -> float:
        return report.add(f"{size >> 20} MiB: {name}", size / cost.wall_s / 1e9, "GB/s", beside)

    ours = note("ours, settled", function(lambda: hash_file(path, settled=True)))
    note("ours, may still change", function(lambda: hash_file(path)))
    note("ours, sha256", function(lambda: hash_file(path, "sha256"), repeat=3), "seed: 1.3")
    note("read", function(lambda: _read(path)))
    mapped = note("blake3, mmap, all threads", function(lambda: _blake3_mapped(path)))
    note("blake3, mmap, one thread", function(lambda: blake3().update_mmap(path)))
    floor, named = mapped, "blake3 in Python"
    if b3sum:
        floor, named = note("b3sum", command([b3sum, path])), "b3sum"
    if shutil.which("sha256sum"):
        note("sha256sum", command(["sha256sum", path], repeat=3))
    report.at_least(f"a large file at 0.85 of {named} or better", ours / floor, OF_B3SUM, "x")


def _small(report: Report, b3sum: str | None, count: int) -> None:
    folder = corpus.blobs(count, SMALL_BYTES)
    paths = sorted(folder.glob("*.bin"))
    names = [path.name for path in paths]
    threads = os.cpu_count() or 1
    _each(_read, paths)

    def note(name: str, cost: Cost) -> float:
        return report.add(f"{count:,} x 100 KB: {name}", count / cost.wall_s, "files/s")

    ours = note(f"ours, {threads} threads", function(lambda: _threaded(paths, threads), repeat=3))
    note("ours, one thread", function(lambda: _each(hash_file, paths), repeat=3))
    note("open and read", function(lambda: _each(_read, paths), repeat=3))
    note("ours, sha256", function(lambda: _each(_sha256, paths), repeat=3))
    if b3sum:
        floor = note("b3sum", command([b3sum, *names], cwd=folder, repeat=3))
        report.at_least("small files at 0.85 of b3sum or better", ours / floor, OF_B3SUM, "x")
    if shutil.which("sha256sum"):
        note("sha256sum", command(["sha256sum", *names], cwd=folder, repeat=1))


def _read(path: Path) -> None:
    buffer = bytearray(CHUNK_BYTES)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def _blake3_mapped(path: Path) -> None:
    blake3(max_threads=blake3.AUTO).update_mmap(path).digest()


def _sha256(path: Path) -> None:
    hash_file(path, "sha256")


def _each(call: Callable[[Path], object], paths: Sequence[Path]) -> None:
    for path in paths:
        call(path)


def _threaded(paths: Sequence[Path], threads: int) -> None:
    """As the host does it."""
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(hash_file, paths):
            pass
