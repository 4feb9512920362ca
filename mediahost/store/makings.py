"""Makings: which files were made of which, found by content or by path."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import RowMapping, Select, bindparam, select, union

from mediahost.model.lineage import Making
from mediahost.store.derived import made_files
from mediahost.store.dialect import among, listed
from mediahost.store.engine import Database, lasting
from mediahost.store.tables import processing_jobs

_columns = processing_jobs.c
_MAKINGS = select(processing_jobs).order_by(_columns.id)
_OF = select(made_files.c.job_id).where(among([made_files.c.file_hash], "hashes"))
_INTO = _MAKINGS.where(_columns.job_id.in_(_OF))
_FROM = _MAKINGS.where(among([_columns.input_hash], "hashes"))
_MADE_AT = select(made_files.c.job_id).where(made_files.c.file_path == bindparam("at_path"))
# Joined by OR, Postgres would read the whole table.
_AT = _MAKINGS.where(
    _columns.id.in_(
        union(
            select(_columns.id).where(_columns.input_path == bindparam("at_path")),
            select(_columns.id).where(_columns.job_id.in_(_MADE_AT)),
        )
    )
)


class Makings:
    """Knows what was made of what."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @lasting
    def makings_into(self, file_hashes: Collection[str]) -> list[Making]:
        """The makings that one of these contents came out of, the oldest first."""
        return self._makings(_INTO, {"hashes": listed(file_hashes)})

    @lasting
    def makings_from(self, file_hashes: Collection[str]) -> list[Making]:
        """The makings that one of these contents went into, the oldest first."""
        return self._makings(_FROM, {"hashes": listed(file_hashes)})

    @lasting
    def makings_at(self, media_url: str) -> list[Making]:
        """The makings of, or out of, a file at this path, whatever it held, the oldest first."""
        return self._makings(_AT, {"at_path": media_url})

    def _makings(self, wanted: Select[Any], parameters: dict[str, str]) -> list[Making]:
        with self._database.read() as connection:
            return [_making(row) for row in connection.execute(wanted, parameters).mappings()]


def _making(row: RowMapping) -> Making:
    made = row["artifacts"] or [{"path": row["output_path"], "file_hash": row["output_hash"]}]
    return Making(
        job_id=row["job_id"],
        action=row["action"],
        action_version=row["action_version"],
        config=row["parameters"] or {},
        media_url=row["input_path"],
        file_hash=row["input_hash"],
        made=tuple((each["path"], each["file_hash"] or "") for each in made),
        created_at=row["created_at"],
    )
