"""Fills the tables that are derived from cached results, in the transaction that keeps these."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select

from mediahost.store.derived import made_files, passages
from mediahost.store.dialect import among, listed, write_rows
from mediahost.store.passages import SAID, passages_of
from mediahost.store.spelling import unspelled
from mediahost.store.tables import analysis_jobs

_INSERT_FILE = made_files.insert()
_INSERT_PASSAGE = passages.insert()
_PLACES = select(analysis_jobs.c.id, analysis_jobs.c.file_path, analysis_jobs.c.config_hash).where(
    among([analysis_jobs.c.file_path, analysis_jobs.c.config_hash], "places")
)
_FORGET = delete(passages).where(among([passages.c.analysis_id], "analyses"))


def write_made_files(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write down the artifacts of rows of `processing_jobs`."""
    files = [
        {
            "job_id": row["job_id"],
            "position": position,
            "file_path": artifact["path"],
            "file_hash": artifact["file_hash"],
        }
        for row in rows
        for position, artifact in enumerate(unspelled(row["artifacts"]) or ())
        if artifact["file_hash"]
    ]
    if files:
        write_rows(connection, _INSERT_FILE, files)


def write_passages(
    connection: Connection, rows: Sequence[Mapping[str, Any]], replaced: Collection[int]
) -> None:
    """Write the passages of rows of `analysis_jobs` that have just been written.

    Args:
        connection: In a writing transaction.
        rows: The rows, one a place.
        replaced: Ids of those that were there before, with passages of their own.
    """
    if replaced:
        connection.execute(_FORGET, {"analyses": listed(replaced)})
    said = [
        (row, list(passages_of({name: unspelled(row[name]) for name in SAID})))
        for row in rows
        if any(map(unspelled, map(row.__getitem__, SAID)))
    ]
    places = [(row["file_path"], row["config_hash"]) for row, found in said if found]
    if not places:
        return
    at = connection.execute(_PLACES, {"places": listed(places)})
    ids = {(path, config_hash): number for number, path, config_hash in at}
    write_rows(
        connection,
        _INSERT_PASSAGE,
        [
            {"analysis_id": ids[row["file_path"], row["config_hash"]], **passage._asdict()}
            for row, found in said
            for passage in found
        ],
    )
