"""What is derived from what an older schema kept, which had no place for it."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, literal_column, select

from mediahost.model.kinds import mime_type_of
from mediahost.store.deriving import write_made_files, write_passages
from mediahost.store.filling import write_children
from mediahost.store.tables import analysis_jobs, jobs, processing_jobs

BATCH = 1000

# Only columns of the first schema: this runs in the middle of an upgrade to a later one.
_JOBS = (
    select(jobs.c.id, jobs.c.media_url, jobs.c.file_hash, jobs.c.result, jobs.c.number)
    .where(jobs.c.status == literal_column("'completed'"), jobs.c.action.is_not(None))
    .order_by(jobs.c.number)
)
_ANALYSES = select(
    analysis_jobs.c.id,
    analysis_jobs.c.file_path,
    analysis_jobs.c.config_hash,
    analysis_jobs.c.ranges,
    analysis_jobs.c.metadata,
    analysis_jobs.c.transcription,
    analysis_jobs.c.analysis,
).order_by(analysis_jobs.c.id)
_PROCESSINGS = select(
    processing_jobs.c.id, processing_jobs.c.job_id, processing_jobs.c.artifacts
).order_by(processing_jobs.c.id)


def backfill(connection: Connection) -> None:
    """Write what the host would have written, had the tables been there."""
    for rows in _batches(connection, _JOBS, jobs.c.number):
        write_children(connection, map(_completed, rows))
    for rows in _batches(connection, _PROCESSINGS, processing_jobs.c.id):
        write_made_files(connection, [dict(row._mapping) for row in rows])  # noqa: SLF001 - SQLAlchemy's public name


def write_all_passages(connection: Connection) -> None:
    """Write the passages of all cached results, of which there are none."""
    for rows in _batches(connection, _ANALYSES, analysis_jobs.c.id):
        write_passages(connection, [dict(row._mapping) for row in rows], ())  # noqa: SLF001 - SQLAlchemy's public name


def _completed(row: Row[Any]) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    original = {
        "file_path": row.media_url,
        "file_size_bytes": None,
        "mime_type": mime_type_of(row.media_url),
        "metadata": {"file_hash": row.file_hash},
    }
    return row.id, original, row.result or {}


def _batches(
    connection: Connection, statement: Select[Any], number: Any
) -> Iterator[Sequence[Row[Any]]]:
    last = -1
    while rows := connection.execute(statement.where(number > last).limit(BATCH)).all():
        yield rows
        last = rows[-1]._mapping[number]  # noqa: SLF001 - SQLAlchemy's public name
