"""One size of the TUI's benchmark, in a process of its own: what it prints is JSON.

Keys are given to the application as a terminal's driver gives them, and a key's way ends when the
screen has been painted; the pilot of Textual's tests adds 40 ms of its own.
"""

import asyncio
import json
import sys
import time
from array import array
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import event
from textual import events
from textual.app import App, ComposeResult
from textual.coordinate import Coordinate
from textual.widgets import DataTable

from mediahost.model.job_filter import JobFilter
from mediahost.plugin.registry import Registry
from mediahost.settings import Settings
from mediahost.store import open_store
from mediahost.store.browse import Order
from mediahost.tui.app import MediahostApp
from mediahost.tui.jobs_screen import JobsScreen
from mediahost.tui.rows import joined
from mediahost.tui.session import Session

SIZE = (120, 36)
KEYS = 60
IDLE_S = 3.0
UPDATED_S = 4.0
PACES = (50, 500)
WRITES = 24
WRITE_EVERY_S = 0.4
MS = 1000.0
Figures = dict[str, float]


def main() -> None:
    """Measure, and print the figures."""
    what, argument = sys.argv[1:3]
    if what == "table":
        figures = asyncio.run(_data_table(int(argument)))
    else:
        # First the TUI: what the bare queries leave behind is not its memory.
        figures = asyncio.run(_looking(Path(argument))) | _reading(Path(argument))
    print(json.dumps(figures))


# --- without a screen --------------------------------------------------------------------------


def _reading(folder: Path) -> Figures:
    """What the list asks of the store."""
    with closing(open_store(folder / "store.db")) as store:
        browser = store.browse()
        everything, failed = JobFilter(), JobFilter.parse("state:failed")
        word = JobFilter.parse("tape_77")
        asked: dict[str, Callable[[], object]] = {
            "first": lambda: browser.first(everything, Order.NEWEST, 128),
            "snapshot": lambda: joined(list(browser.numbers(everything, Order.NEWEST))),
            "failed": lambda: browser.first(failed, Order.NEWEST, 128),
            "word": lambda: _until(browser.numbers(word, Order.NEWEST), 128),
            "word_all": lambda: joined(list(browser.numbers(word, Order.NEWEST))),
        }
        figures: Figures = {}
        for name, call in asked.items():
            call()
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            figures[f"{name}_ms"] = (time.perf_counter() - wall) * MS
            figures[f"{name}_cpu_ms"] = (time.process_time() - cpu) * MS
        browser.close()
    return figures


def _until(stretches: Any, enough: int) -> int:
    found = array("q")
    for stretch in stretches:
        found.extend(stretch)
        if len(found) >= enough:
            break
    return len(found)


# --- the whole TUI -----------------------------------------------------------------------------


async def _looking(folder: Path) -> Figures:
    """Opening, rest, keys, and updates by another process."""
    before_mib = _memory_mib()
    session = Session(Settings(data_dir=folder), open_store(folder / "store.db"), Registry())
    app = MediahostApp(session)
    painted, blocked = _Painted(app), _Blocked()
    queries = _counted(session)
    figures: Figures = {}
    try:
        started, cpu = time.perf_counter(), time.process_time()
        async with app.run_test(size=SIZE):
            await _when(
                lambda: isinstance(app.screen, JobsScreen) and len(app.screen.list.table.rows)
            )
            figures["rows_ms"] = (time.perf_counter() - started) * MS
            await _when(lambda: isinstance(app.screen, JobsScreen) and app.screen.list.is_complete)
            figures["listed_ms"] = (time.perf_counter() - started) * MS
            figures["listed_cpu_ms"] = (time.process_time() - cpu) * MS
            await asyncio.sleep(3.0)
            figures["memory_mib"] = _memory_mib()
            figures["memory_before_mib"] = before_mib
            figures |= await _at_rest(queries)
            figures |= await _at_keys(app, painted, "j")
            # What is updated is at the top, and what is out of sight costs nothing.
            app.post_message(events.Key("g", "g"))
            await asyncio.sleep(1.0)
            for pace in PACES:
                figures |= await _at_updates(folder, queries, pace)
            blocked.watch()  # only now: looking every 5 ms costs as much as what is measured
            await _at_updates(folder, queries, PACES[-1])
            figures |= await _writes(folder, painted)
            figures["blocked_ms"] = blocked.most_s * MS
    finally:
        blocked.stop()
        session.close()
    return figures


async def _at_rest(queries: list[str]) -> Figures:
    asked = len(queries)
    cpu = await _cpu(asyncio.sleep(IDLE_S)) / IDLE_S
    return {"rest_percent": cpu * 100, "rest_queries": float(len(queries) - asked)}


async def _at_keys(app: App[Any], painted: "_Painted", key: str) -> Figures:
    """From a key to what it paints, one at a time; and the CPU of it all."""
    took = []
    cpu = time.process_time()
    for _ in range(KEYS):
        seen, pressed = len(painted.moments), time.perf_counter()
        app.post_message(events.Key(key, key if len(key) == 1 else None))
        await painted.after(pressed)
        took.append((painted.moments[seen] - pressed) * MS)
    used = (time.process_time() - cpu) * MS
    return {"key_cpu_ms": used / KEYS, "key_paint_ms": median(took)}


async def _at_updates(folder: Path, queries: list[str], pace: int) -> Figures:
    asked = len(queries)
    writer = await _writer(folder, round(pace * UPDATED_S), 1 / pace, is_heard=False)
    cpu = await _cpu(asyncio.sleep(UPDATED_S)) / UPDATED_S
    await writer.wait()
    asked = len(queries) - asked
    return {f"at_{pace}_percent": cpu * 100, f"at_{pace}_queries_s": asked / UPDATED_S}


async def _writes(folder: Path, painted: "_Painted") -> Figures:
    """From a commit of another process to the paint that shows it."""
    await asyncio.sleep(1.0)
    writer = await _writer(folder, WRITES, WRITE_EVERY_S)
    said, _ = await writer.communicate()
    wrote = [float(line) for line in said.split()]
    took = [
        (next((at for at in painted.moments if at > moment), moment + WRITE_EVERY_S) - moment) * MS
        for moment in wrote
    ]
    took.sort()
    return {"write_paint_p50_ms": median(took), "write_paint_p95_ms": took[int(len(took) * 0.95)]}


async def _writer(
    folder: Path, turns: int, pause_s: float, *, is_heard: bool = True
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, str(folder / "store.db"), str(turns), str(pause_s)),
        # Reading what it says would count as the TUI's own work.
        stdout=asyncio.subprocess.PIPE if is_heard else asyncio.subprocess.DEVNULL,
    )


# Another process that works as a host does: of jobs in sight it takes one up, tells how far it is,
# and ends it. It says when it has committed, by the clock that all processes share.
WRITER = """
import sqlite3, sys, time
path, turns, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
database = sqlite3.connect(path, timeout=10, isolation_level=None)
database.execute("PRAGMA synchronous = NORMAL")
newest = database.execute("SELECT max(number) FROM jobs").fetchone()[0]
PROGRESS = ("INSERT INTO job_progress (job_id, attempt, fraction, message) SELECT id, attempt, ?, ?"
    " FROM jobs WHERE number = ? ON CONFLICT DO UPDATE SET attempt = excluded.attempt,"
    " fraction = excluded.fraction, message = excluded.message")
begun = time.perf_counter()
for turn in range(turns):
    number, step = newest - turn // 4 % 25, turn % 4
    if step in (0, 3):
        database.execute("UPDATE jobs SET status = ? WHERE number = ?",
            (("processing", "completed")[step == 3], number))
    else:
        database.execute(PROGRESS, (step / 3, f"turn {turn}", number))
    if step == 3:
        database.execute("DELETE FROM job_progress WHERE job_id ="
            " (SELECT id FROM jobs WHERE number = ?)", (number,))
    print(time.perf_counter(), flush=True)
    time.sleep(max(0, begun + (turn + 1) * pause - time.perf_counter()))
"""


class _Painted:
    """The moments of all paints."""

    def __init__(self, app: App[Any]) -> None:
        self.moments: list[float] = []
        self._news = asyncio.Event()
        display: Any = app._display  # noqa: SLF001 - to measure

        def noted(*what: Any) -> None:
            display(*what)
            self.moments.append(time.perf_counter())
            self._news.set()

        setattr(app, "_display", noted)  # noqa: B010 - mypy wants no method assigned

    async def after(self, moment: float) -> None:
        """Wait for a paint after this moment."""
        async with asyncio.timeout(60):
            while not self.moments or self.moments[-1] <= moment:
                self._news.clear()
                await self._news.wait()


class _Blocked:
    """How long the event loop was not to be had at most."""

    def __init__(self) -> None:
        self.most_s = 0.0
        self._task: asyncio.Task[None] | None = None

    def watch(self) -> None:
        self._task = asyncio.create_task(self._watch())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _watch(self) -> None:
        while True:
            slept_at = time.thread_time()
            await asyncio.sleep(0.005)
            # By the CPU of the thread: other programs' turns are none of the TUI's fault.
            self.most_s = max(self.most_s, time.thread_time() - slept_at)


def _counted(session: Session) -> list[str]:
    """Grows by each statement that the session sends."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    event.listen(session.store.database.engine, "before_cursor_execute", note)
    return sent


# --- Textual's own table -----------------------------------------------------------------------


class _Peer(App[None]):
    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")


async def _data_table(jobs: int) -> Figures:
    rows = [
        (str(i), "completed", "av.probe", f"/home/ann/tape_{i}.mp4", "", "1/3", "5s", "2d")
        for i in range(jobs)
    ]
    app = _Peer()
    painted = _Painted(app)
    async with app.run_test(size=SIZE) as pilot:
        table = app.query_one(DataTable)
        started, cpu = time.perf_counter(), time.process_time()
        table.add_columns("JOB", "STATE", "ACTION", "MEDIA", "PROGRESS", "TRY", "TOOK", "AGE")
        table.add_rows(rows)
        await pilot.pause()
        figures = {
            "listed_ms": (time.perf_counter() - started) * MS,
            "listed_cpu_ms": (time.process_time() - cpu) * MS,
            "memory_mib": _memory_mib(),
        }
        await asyncio.sleep(1.0)
        figures |= await _at_keys(app, painted, "down")
        figures |= await _table_updates(table)
    return figures


async def _table_updates(table: DataTable[Any]) -> Figures:
    """The same table when a cell of it changes 50 times a second."""

    async def update() -> None:
        for turn in range(round(PACES[0] * UPDATED_S)):
            table.update_cell_at(Coordinate(turn % 25, 4), f"{turn} %")
            await asyncio.sleep(1 / PACES[0])

    cpu, started = time.process_time(), time.perf_counter()
    await update()
    return {"at_50_percent": (time.process_time() - cpu) / (time.perf_counter() - started) * 100}


# --- measuring ---------------------------------------------------------------------------------


def _memory_mib() -> float:
    """Memory of the process's own: what SQLite maps of its file is the page cache's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return 0.0


async def _cpu(work: Awaitable[object]) -> float:
    started = time.process_time()
    await work
    return time.process_time() - started


async def _when(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(120):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.001)


if __name__ == "__main__":
    main()
