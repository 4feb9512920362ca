"""The TUI on 1,000, 100,000 and 1,000,000 jobs, beside Textual's own DataTable."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from benchmarks.corpus import WORK
from benchmarks.report import Report
from mediahost.store import open_store

TITLE = "The TUI at 120x36, without a terminal, by the number of jobs"
MOST_IN_DATA_TABLE = 100_000
TIMEOUT_S = 300

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

# What is printed of each figure: its name, its unit, and the goal if there is one.
FIGURES: dict[str, tuple[str, str, float | None]] = {
    "first_ms": ("first 128 rows, read", "ms wall", None),
    "first_cpu_ms": ("first 128 rows, read", "ms CPU", None),
    "rows_ms": ("opened, first rows there", "ms wall", 450),
    "snapshot_ms": ("numbers of all", "ms wall", 1500),
    "snapshot_cpu_ms": ("numbers of all", "ms CPU", None),
    "listed_ms": ("opened and listed", "ms wall", None),
    "listed_cpu_ms": ("opened and listed", "ms CPU", None),
    "memory_mib": ("memory of the process", "MiB", 80),
    "memory_before_mib": ("of it before opening", "MiB", None),
    "failed_ms": ("failed, first page", "ms wall", 50),
    "word_ms": ("a word, first page", "ms wall", None),
    "word_all_ms": ("a word, all", "ms wall", 300),
    "word_all_cpu_ms": ("a word, all", "ms CPU", None),
    "key_paint_ms": ("key to paint, median", "ms wall", 20),
    "key_cpu_ms": ("a key", "ms CPU", 9),
    "rest_percent": ("at rest", "% of a core", 1),
    "rest_queries": ("at rest", "queries in 3 s", None),
    "at_50_percent": ("at 50 updates/s", "% of a core", 4),
    "at_50_queries_s": ("at 50 updates/s", "queries/s", None),
    "at_500_percent": ("at 500 updates/s", "% of a core", 8),
    "at_500_queries_s": ("at 500 updates/s", "queries/s", None),
    "write_paint_p50_ms": ("write to paint, median", "ms wall", None),
    "write_paint_p95_ms": ("write to paint, p95", "ms wall", 150),
    "blocked_ms": ("longest turn of the UI thread", "ms CPU", 50),
}


def measure(*, quick: bool) -> Report:
    """The figures of each size, each in a process of its own."""
    report = Report("tui", TITLE)
    for jobs in (1_000, 100_000) if quick else (1_000, 100_000, 1_000_000):
        _note(report, f"{jobs:,}", _run("tui", str(_filled(jobs))), goals=True)
        if jobs <= MOST_IN_DATA_TABLE:
            _note(report, f"{jobs:,} in DataTable", _run("table", str(jobs)), goals=False)
    return report


def _note(report: Report, of: str, figures: dict[str, float], *, goals: bool) -> None:
    for key, (name, unit, goal) in FIGURES.items():
        if key in figures:
            report.add(f"{of}: {name}", figures[key], unit)
            if goal is not None and goals:
                text = f"{of}: {name}: at most {goal:g} {unit}"
                report.at_most(text, figures[key], goal, unit)


def _run(what: str, argument: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.tui_run", what, argument],
        stdout=subprocess.PIPE,
        check=True,
        timeout=TIMEOUT_S,
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _filled(jobs: int) -> Path:
    folder = WORK / f"tui-{jobs}"
    path = folder / "store.db"
    is_new = not path.exists()
    folder.mkdir(parents=True, exist_ok=True)
    # Here, for what upgrades an older store stays in the memory of the process.
    open_store(path).close()
    if is_new:
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("PRAGMA synchronous = OFF")
            database.execute(FILL, {"jobs": jobs})
            database.execute("UPDATE meta SET last_job_number = ?", (jobs,))
    return folder
