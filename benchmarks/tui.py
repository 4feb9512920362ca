"""The TUI on 1,000, 100,000 and 1,000,000 jobs, beside Textual's own DataTable."""

import asyncio
import resource
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import DataTable

from benchmarks.corpus import WORK
from benchmarks.measure import Cost
from benchmarks.report import Report
from mediahost.model.job_filter import JobFilter
from mediahost.plugin.registry import Registry
from mediahost.settings import Settings
from mediahost.store import open_store
from mediahost.store.browse import Order
from mediahost.tui.app import MediahostApp
from mediahost.tui.jobs_screen import JobsScreen
from mediahost.tui.rows import joined
from mediahost.tui.session import Session

TITLE = "The TUI at 120x36, without a terminal, by the number of jobs"
SIZE = (120, 36)
KEYS = 60
IDLE_S = 3.0
UPDATES_A_SECOND = 50
UPDATED_S = 4.0
MOST_IN_DATA_TABLE = 100_000
MIB = 1 << 20

# What a store of years looks like: most is done, a twentieth failed, some wait.
FILL = """
INSERT INTO jobs (id, job_type, status, media_url, parameters, error, created_at, updated_at,
    started_at, completed_at, processing_time_ms, number, action, action_version, file_hash,
    config_hash, source, priority, attempt, failures, cancel_requested, cached)
WITH RECURSIVE counted(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted WHERE i < :jobs),
states(i, status) AS (SELECT i, CASE WHEN i % 100 < 90 THEN 'completed' WHEN i % 100 < 95
    THEN 'failed' WHEN i % 100 < 96 THEN 'cancelled' ELSE 'pending' END FROM counted)
SELECT printf('%032x', i), 'video', status, '/home/ann/Recordings/2026/tape_' || i || '.mp4',
    '{"config": {"format": "mp3"}, "inputs": {}}',
    CASE status WHEN 'failed' THEN 'The file has no audio stream' END,
    datetime('now', '-' || (:jobs - i) || ' seconds') || '.000000',
    datetime('now') || '.000000', NULL,
    CASE WHEN status <> 'pending' THEN datetime('now') || '.000000' END, i % 90000, i,
    CASE i % 4 WHEN 0 THEN 'av.probe' WHEN 1 THEN 'av.convert' WHEN 2 THEN 'speech.vad'
    ELSE 'images.info' END, 1, printf('blake3:%064x', i), 'blake3:00', 'user', 0, 1, 0, 0, 0
FROM states
"""


def measure(*, quick: bool) -> Report:
    """The figures of each size, one after the other."""
    sizes = (1_000, 100_000) if quick else (1_000, 100_000, 1_000_000)
    report = Report("tui", TITLE)
    for jobs in sizes:
        asyncio.run(_measured(report, jobs))
    return report


@dataclass(frozen=True, slots=True)
class _Notes:
    """Figures and goals of one size."""

    report: Report
    jobs: int

    def add(self, name: str, figure: float, unit: str, beside: str = "") -> None:
        self.report.add(f"{self.jobs:,}: {name}", figure, unit, beside)

    def at_most(self, text: str, figure: float, limit: float, unit: str) -> None:
        self.report.at_most(f"{self.jobs:,}: {text}", figure, limit, unit)


async def _measured(report: Report, jobs: int) -> None:
    note = _Notes(report, jobs)
    folder = _filled(jobs)
    _reading(note, folder)
    await _looking(note, folder)
    if jobs <= MOST_IN_DATA_TABLE:
        await _in_data_table(note)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB
    note.add("memory so far", memory, "MiB")


def _filled(jobs: int) -> Path:
    folder = WORK / f"tui-{jobs}"
    path = folder / "store.db"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        open_store(path).close()
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("PRAGMA synchronous = OFF")
            database.execute(FILL, {"jobs": jobs})
            database.execute("UPDATE meta SET last_job_number = ?", (jobs,))
    return folder


def _reading(note: _Notes, folder: Path) -> None:
    """What the list asks of the store, without a screen."""
    with closing(open_store(folder / "store.db")) as store:
        browser = store.browse()
        everything, failed = JobFilter(), JobFilter.parse("state:failed")
        words = JobFilter.parse("tape_77")
        first = _cost(lambda: browser.first(everything, Order.NEWEST, 128))
        note.add(
            "first 128 rows",
            first.wall_s * 1e3,
            "ms wall",
            f"{first.cpu_s * 1e3:.1f} CPU",
        )
        snapshot = _cost(lambda: joined(browser.numbers(everything, Order.NEWEST)))
        note.add("numbers of all", snapshot.wall_s * 1e3, "ms wall")
        narrow = _cost(lambda: browser.first(failed, Order.NEWEST, 128))
        note.add("first 128 failed", narrow.wall_s * 1e3, "ms wall")
        found = _cost(lambda: joined(browser.numbers(words, Order.NEWEST)))
        note.add("a word in all", found.wall_s * 1e3, "ms wall", "no index helps")
        browser.close()
    note.at_most("first rows in 450 ms", first.wall_s * 1e3, 450, "ms")
    note.at_most("all numbers in 1.5 s", snapshot.wall_s * 1e3, 1500, "ms")
    note.at_most("indexed filter in 50 ms", narrow.wall_s * 1e3, 50, "ms")
    note.at_most("a word in 300 ms", found.wall_s * 1e3, 300, "ms")


async def _looking(note: _Notes, folder: Path) -> None:
    """The whole TUI: keys, rest, and updates from another process."""
    settings = Settings(data_dir=folder)
    session = Session(settings, open_store(folder / "store.db"), Registry())
    app = MediahostApp(session)
    queries = _counted(session)
    try:
        async with app.run_test(size=SIZE) as pilot:
            started = time.perf_counter()
            await _until(pilot, lambda: _listed(app) == note.jobs)
            note.add("opened and listed", (time.perf_counter() - started) * 1e3, "ms wall")
            await pilot.pause(2.0)
            at_key = await _cpu(_pressing(pilot))
            note.add("a key", at_key / KEYS * 1e3, "ms CPU", "the pilot's own work included")
            before = len(queries)
            idle = await _cpu(asyncio.sleep(IDLE_S)) / IDLE_S
            note.add("at rest", idle * 100, "% of a core", f"{len(queries) - before} queries")
            before = len(queries)
            writer = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                WRITER,
                str(folder / "store.db"),
                str(round(UPDATES_A_SECOND * UPDATED_S)),
                str(1 / UPDATES_A_SECOND),
            )
            busy = await _cpu(asyncio.sleep(UPDATED_S)) / UPDATED_S
            await writer.wait()
            each = (len(queries) - before) / (UPDATES_A_SECOND * UPDATED_S)
            note.add(
                f"at {UPDATES_A_SECOND} updates/s",
                busy * 100,
                "% of a core",
                f"{each:.1f} queries each",
            )
    finally:
        session.close()
    note.at_most("at most 9 ms of CPU a key", at_key / KEYS * 1e3, 9, "ms")
    note.at_most("at rest at most 1 %", idle * 100, 1, "%")
    note.at_most("at 50 updates/s at most 4 %", busy * 100, 4, "%")


# Another process that changes one job at a time, as a host's heartbeats and commits do.
WRITER = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], timeout=10)
newest = database.execute("SELECT max(number) FROM jobs").fetchone()[0]
for turn in range(int(sys.argv[2])):
    with database:
        database.execute("UPDATE jobs SET attempt = attempt + 1 WHERE number = ?",
                         (newest - turn % 30,))
    time.sleep(float(sys.argv[3]))
"""


def _listed(app: MediahostApp) -> int:
    screen = app.screen
    return len(screen.table.rows) if isinstance(screen, JobsScreen) else -1


def _counted(session: Session) -> list[str]:
    """Grows by each statement that the session sends."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    event.listen(session.store._database.engine, "before_cursor_execute", note)  # noqa: SLF001 - to count
    return sent


class _Peer(App[None]):
    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")


async def _in_data_table(note: _Notes) -> None:
    rows = [
        (str(i), "completed", "av.probe", f"/home/ann/tape_{i}.mp4", "", "1/3", "5s", "2d")
        for i in range(note.jobs)
    ]
    app = _Peer()
    async with app.run_test(size=SIZE) as pilot:
        table = app.query_one(DataTable)
        started, cpu = time.perf_counter(), time.process_time()
        table.add_columns("JOB", "STATE", "ACTION", "MEDIA", "PROGRESS", "TRY", "TOOK", "AGE")
        table.add_rows(rows)
        await pilot.pause()
        wall = time.perf_counter() - started
        cost = time.process_time() - cpu
        note.add("DataTable: opened and listed", wall * 1e3, "ms wall", f"{cost:.2f} s CPU")
        each = await _cpu(_pressing(pilot, "down")) / KEYS
        note.add("DataTable: a key", each * 1e3, "ms CPU", "the pilot's own work included")


async def _pressing(pilot: Pilot[Any], key: str = "j") -> None:
    for _ in range(KEYS):
        await pilot.press(key)


async def _cpu(work: Awaitable[object]) -> float:
    started = time.process_time()
    await work
    return time.process_time() - started


async def _until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not holds():
            await pilot.pause(0.01)


def _cost(call: Callable[[], object]) -> Cost:
    call()
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)
