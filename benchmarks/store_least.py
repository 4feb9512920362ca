"""The least that a store does for a job: the documented tables by `sqlite3`, and nothing of ours.

No leases or fences, no sources or steps, one result by its file and config and by its content, no
log of changes and no search: the columns and indexes that `jobs`, `media_assets` and
`analysis_jobs` must have, and the index of jobs that wait.
"""

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.store_floor import lite
from mediahost.hashing import hash_bytes
from mediahost.model.job import new_job_id

_SCHEMA = """
CREATE TABLE jobs (
    id CHAR(32) NOT NULL PRIMARY KEY, job_type VARCHAR(50) NOT NULL,
    status VARCHAR(50) NOT NULL DEFAULT 'pending', media_url TEXT NOT NULL, prompt TEXT,
    parameters JSON DEFAULT '{}', result JSON, error TEXT,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    started_at DATETIME, completed_at DATETIME, processing_time_ms INTEGER);
CREATE INDEX idx_jobs_status ON jobs (status);
CREATE INDEX idx_jobs_created_at ON jobs (created_at DESC);
CREATE INDEX idx_jobs_job_type ON jobs (job_type);
CREATE INDEX idx_jobs_ready ON jobs (created_at) WHERE status = 'pending';
CREATE TABLE media_assets (
    id CHAR(32) NOT NULL PRIMARY KEY,
    job_id CHAR(32) NOT NULL REFERENCES jobs ON DELETE CASCADE,
    asset_type VARCHAR(50) NOT NULL, file_path TEXT NOT NULL, file_size_bytes BIGINT,
    mime_type VARCHAR(100), metadata JSON DEFAULT '{}',
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE INDEX idx_media_assets_job_id ON media_assets (job_id);
CREATE INDEX idx_media_assets_asset_type ON media_assets (asset_type);
CREATE TABLE analysis_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file_path TEXT NOT NULL, file_hash TEXT NOT NULL,
    config_hash TEXT NOT NULL, ranges JSON, metadata JSON, created_at REAL NOT NULL,
    UNIQUE (file_path, config_hash));
CREATE INDEX idx_analysis_jobs_key ON analysis_jobs (file_hash, config_hash);
CREATE INDEX idx_analysis_jobs_created_at ON analysis_jobs (created_at DESC);
"""
_SUBMIT = "INSERT INTO jobs (id, job_type, media_url, parameters) VALUES (?, 'audio', ?, ?)"
_CLAIM = """
UPDATE jobs SET status = 'processing', started_at = CURRENT_TIMESTAMP
WHERE id IN (SELECT id FROM jobs WHERE status = 'pending' ORDER BY created_at LIMIT ?)
RETURNING id, media_url, parameters
"""
_COMPLETE = """
UPDATE jobs SET status = 'completed', result = '{"ranges": []}', processing_time_ms = 1,
    completed_at = CURRENT_TIMESTAMP
WHERE id = ? AND status = 'processing'
"""
_ASSET = "INSERT INTO media_assets (id, job_id, asset_type, file_path) VALUES (?, ?, 'original', ?)"
_RESULT = (
    "INSERT INTO analysis_jobs (file_path, file_hash, config_hash, ranges, metadata, created_at)"
    " VALUES (?, ?, ?, '[]', '{}', unixepoch())"
)


class _Batch(NamedTuple):
    """Rows of parameters for what a batch of jobs writes."""

    submitted: Sequence[tuple[Any, ...]]
    completed: Sequence[tuple[Any, ...]]
    assets: Sequence[tuple[Any, ...]]
    results: Sequence[tuple[Any, ...]]


def claim_and_complete_s(path: Path, jobs: int, rounds: int, batch: int) -> float:
    """Seconds of CPU that claiming and completing so many jobs takes, the best of the rounds."""
    costs = []
    with lite(path) as connection:
        connection.executescript(_SCHEMA)
        for turn in range(rounds):
            batches = [
                _batch(range(first, first + batch))
                for first in range(turn * jobs, (turn + 1) * jobs, batch)
            ]
            for each in batches:
                _write(connection, (_SUBMIT, each.submitted))
            began = time.process_time()
            for each in batches:
                _claim(connection, batch)
                _write(
                    connection,
                    (_COMPLETE, each.completed),
                    (_ASSET, each.assets),
                    (_RESULT, each.results),
                )
            costs.append(time.process_time() - began)
    return min(costs)


def _batch(numbers: range) -> _Batch:
    config_hash = hash_bytes(b"config")
    jobs = [(new_job_id().hex, f"/media/{number}.wav", number) for number in numbers]
    return _Batch(
        [(job, path, json.dumps({"at": 0.5})) for job, path, _ in jobs],
        [(job,) for job, *_ in jobs],
        [(new_job_id().hex, job, path) for job, path, _ in jobs],
        [(path, hash_bytes(b"%d" % number), config_hash) for _, path, number in jobs],
    )


def _claim(connection: sqlite3.Connection, limit: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    with closing(connection.execute(_CLAIM, (limit,))) as claimed:
        claimed.fetchall()
    connection.execute("COMMIT")


def _write(connection: sqlite3.Connection, *parts: tuple[str, Sequence[tuple[Any, ...]]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement, rows in parts:
        connection.executemany(statement, rows)
    connection.execute("COMMIT")
