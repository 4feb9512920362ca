"""The result caches by themselves: `MediaAnalysisStorage` and `MediaProcessingStorage`.

For programs that want the cache without the host. They read and write the host's own rows: what
one saves is a hit for the other.
"""

import os
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import RowMapping, Select, bindparam, select

from mediahost.errors import UsageError
from mediahost.hashing import canonical, hash_bytes
from mediahost.hashing import verify_file as has_hash
from mediahost.model.faults import first_fault
from mediahost.model.paths import url_to_path
from mediahost.model.ranges import TimeRange
from mediahost.model.result import MediaAnalysisResult
from mediahost.store.caches import save_analyses, save_processing_once
from mediahost.store.dialect import look_up
from mediahost.store.documents import metadata_apart, metadata_together
from mediahost.store.engine import lasting
from mediahost.store.given import a_limit, a_text, a_url, an_object
from mediahost.store.store import SqlStore, open_store
from mediahost.store.tables import analysis_jobs, processing_jobs

AnyPath = str | os.PathLike[str]

_analyses = analysis_jobs.c
_processings = processing_jobs.c
_RANGES: TypeAdapter[list[TimeRange]] = TypeAdapter(list[TimeRange])

_ROWS = select(
    _analyses.file_path,
    _analyses.file_hash,
    _analyses.config_hash,
    _analyses.ranges,
    _analyses.metadata,
    _analyses.created_at,
)
_NEWEST = (_analyses.created_at.desc(), _analyses.id.desc())
_AT = _ROWS.where(
    _analyses.file_path == bindparam("at_path"), _analyses.config_hash == bindparam("of_config")
)
_OF_CONTENT = (
    _ROWS.where(
        _analyses.file_hash == bindparam("of_file"), _analyses.config_hash == bindparam("of_config")
    )
    .order_by(*_NEWEST)
    .limit(1)
)
# What other content has taken the place of is kept under its hash, and is at no path.
_ALL = (
    _ROWS.where(_analyses.file_path != _analyses.file_hash)
    .order_by(*_NEWEST)
    .limit(bindparam("limit"))
)

_MADE = select(
    _processings.job_id,
    _processings.action,
    _processings.input_path,
    _processings.input_hash,
    _processings.output_path,
    _processings.output_hash,
    _processings.parameters,
    _processings.metadata,
    _processings.created_at,
)
_OF_JOB = _MADE.where(_processings.job_id == bindparam("of_job"))
_ALL_MADE = _MADE.order_by(_processings.created_at.desc(), _processings.id.desc()).limit(
    bindparam("limit")
)


@dataclass(frozen=True, slots=True)
class MediaAnalysisRow:
    """What an analyzer found in a file.

    Attributes:
        file_path: The file, as it was saved.
        file_hash: Hash of the content that was analysed, `"algo:hexdigest"`.
        config_hash: Hash of the action, its version and its config.
        ranges: Time ranges as plain values: start and end in seconds, label, confidence, payload.
        metadata: What else was found.
        created_at: Unix seconds.
    """

    file_path: str
    file_hash: str
    config_hash: str
    ranges: list[dict[str, Any]] | None = None
    metadata: dict[str, Any] | None = None
    created_at: float | None = None


@dataclass(frozen=True, slots=True)
class MediaProcessingRow:
    """What a processor made of a file.

    Attributes:
        job_id: The job.
        action: Name of the action.
        input_path, input_hash: What it was made of.
        output_path, output_hash: What was made; of several files the first.
        parameters: The config.
        metadata: What else is known.
        created_at: Unix seconds.
    """

    job_id: str
    action: str
    input_path: str
    input_hash: str
    output_path: str
    output_hash: str
    parameters: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    created_at: float | None = None


class _Storage:
    """A store, opened here or by somebody else.

    Args:
        db_path: Path of an SQLite file, a database URL, or a store that is open already.

    Attributes:
        db_path: Where the store is: the path of the SQLite file, or a URL without its password.

    Raises:
        StoreError: It can't be opened.
    """

    def __init__(self, db_path: AnyPath | SqlStore) -> None:
        self._store = db_path if isinstance(db_path, SqlStore) else open_store(db_path)
        place = self._store.database.location
        self.db_path = os.fspath(place.path) if place.path else str(place)
        self._database = self._store.database
        # Who opened it closes it: at the latest when the storage is forgotten.
        owned = not isinstance(db_path, SqlStore)
        self._close = weakref.finalize(self, self._store.close) if owned else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database, unless it was given open."""
        if self._close:
            self._close()

    @lasting
    def _rows(self, /, wanted: Select[Any], **parameters: str | int) -> list[tuple[Any, ...]]:
        return look_up(self._database, wanted, parameters)


class MediaAnalysisStorage(_Storage):
    """What analyzers found, by path or by content.

    Args:
        db: Path of an SQLite file, a database URL, or a store that is open already.

    Raises:
        StoreError: It can't be opened.
    """

    def save(
        self,
        file_path: AnyPath,
        file_hash: str,
        config_hash: str,
        ranges: Sequence[TimeRange | Mapping[str, Any]] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep a result; the same file and config replace the row.

        Raises:
            UsageError: A range or the metadata is not what it may be.
            StoreError: The database can't be written.
        """
        given = None if ranges is None else _checked_ranges(ranges)
        facts = an_object("metadata", metadata)
        metadata, completeness = metadata_apart(facts)
        result = MediaAnalysisResult(
            ranges=tuple(given or ()), metadata=metadata, completeness=completeness
        )
        dumped = result.model_dump(mode="json")
        row = {
            "file_path": a_url("path", file_path),
            "file_hash": a_text("file hash", file_hash),
            "config_hash": a_text("config hash", config_hash),
            "ranges": None if given is None else dumped["ranges"],
            "metadata": facts and metadata_together(facts),
            "action": None,
            "action_version": None,
            "config": None,
            # As the host's: a step may follow this result.
            "result_hash": hash_bytes(canonical(dumped), self._store.algorithm),
            "elapsed_ms": 0,
            "transcription": None,
            "analysis": None,
        }
        self._keep(row)

    @lasting
    def _keep(self, row: Mapping[str, Any]) -> None:
        with self._database.write() as connection:
            save_analyses(connection, [row])

    def get_cached(
        self, file_path: AnyPath, config_hash: str, file_hash: str | None = None
    ) -> MediaAnalysisRow | None:
        """The result at a path; with `file_hash`, only if it was computed from that content."""
        rows = self._rows(
            _AT,
            at_path=a_url("path", file_path),
            of_config=a_text("config hash", config_hash),
        )
        row = _analysis(rows[0]) if rows else None
        return row if row and file_hash in (None, row.file_hash) else None

    def find_by_content(self, file_hash: str, config_hash: str) -> MediaAnalysisRow | None:
        """The newest result for this content, under whatever path it was computed."""
        rows = self._rows(
            _OF_CONTENT,
            of_file=a_text("file hash", file_hash),
            of_config=a_text("config hash", config_hash),
        )
        return _analysis(rows[0]) if rows else None

    def list_jobs(self, limit: int = 100) -> list[MediaAnalysisRow]:
        """What is kept of each file and config, the newest first.

        Raises:
            UsageError: The limit is negative.
        """
        return [_analysis(row) for row in self._rows(_ALL, limit=a_limit("limit", limit))]

    def verify_file(self, file_path: AnyPath, config_hash: str) -> bool | None:
        """Whether the file still is what its result was computed from.

        Returns:
            True: it is. False: it changed or is gone. None: no result is kept.

        Raises:
            UsageError: What was saved as its hash is none.
            OSError: The file is there but can't be read.
        """
        row = self.get_cached(file_path, config_hash)
        return None if row is None else _unchanged(os.fspath(file_path), row.file_hash)


class MediaProcessingStorage(_Storage):
    """What processors made: a history that nothing is lost of.

    Args:
        db: Path of an SQLite file, a database URL, or a store that is open already.

    Raises:
        StoreError: It can't be opened.
    """

    def save(  # noqa: PLR0917 - as it is documented
        self,
        job_id: object,
        action: str,
        input_path: AnyPath,
        input_hash: str,
        output_path: AnyPath,
        output_hash: str,
        parameters: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep what a job made. Saving it again with the same content changes nothing.

        Raises:
            UsageError: The job was saved with other content, or the parameters or metadata are
                not JSON.
            StoreError: The database can't be written.
        """
        given = {
            "job_id": a_text("job's id", str(job_id)),
            "action": a_text("action", action),
            "input_path": a_url("input path", input_path),
            "input_hash": a_text("input hash", input_hash),
            "output_path": a_url("output path", output_path),
            "output_hash": a_text("output hash", output_hash),
            "parameters": an_object("parameters", parameters),
            "metadata": an_object("metadata", metadata),
        }
        row = {
            **given,
            "config_hash": None,
            "action_version": None,
            "result_hash": None,
            "elapsed_ms": None,
            "artifacts": [{"path": given["output_path"], "file_hash": output_hash}],
        }
        kept = self._keep(row)
        differing = [name for name, value in given.items() if kept[name] != value]
        if differing:
            raise UsageError(
                f"Job {job_id} was saved with another {' and '.join(differing)}",
                "History is not rewritten: save it as a job of its own.",
            )

    @lasting
    def _keep(self, row: Mapping[str, Any]) -> RowMapping:
        """Add the row unless one is there already under its job; the one that is there then."""
        with self._database.write() as connection:
            save_processing_once(connection, row)
            return connection.execute(_OF_JOB, {"of_job": row["job_id"]}).mappings().one()

    def get_by_job_id(self, job_id: object) -> MediaProcessingRow | None:
        """What the job made, or None."""
        rows = self._rows(_OF_JOB, of_job=a_text("job's id", str(job_id)))
        return _processing(rows[0]) if rows else None

    def list_jobs(self, limit: int = 100) -> list[MediaProcessingRow]:
        """What was made, the newest first.

        Raises:
            UsageError: The limit is negative.
        """
        return [_processing(row) for row in self._rows(_ALL_MADE, limit=a_limit("limit", limit))]

    def verify_input(self, job_id: object) -> bool | None:
        """Whether the input is what it was: True, False (changed or gone) or None (no such job).

        Raises:
            UsageError: What was saved as its hash is none.
            OSError: The file is there but can't be read.
        """
        row = self.get_by_job_id(job_id)
        return None if row is None else _unchanged(row.input_path, row.input_hash)

    def verify_output(self, job_id: object) -> bool | None:
        """Whether the output is what it was: True, False (changed or gone) or None (no such job).

        Raises:
            UsageError: What was saved as its hash is none.
            OSError: The file is there but can't be read.
        """
        row = self.get_by_job_id(job_id)
        return None if row is None else _unchanged(row.output_path, row.output_hash)


def _analysis(row: tuple[Any, ...]) -> MediaAnalysisRow:
    file_path, *others = row
    return MediaAnalysisRow(url_to_path(file_path), *others)


def _processing(row: tuple[Any, ...]) -> MediaProcessingRow:
    job_id, action, input_path, input_hash, output_path, *others = row
    return MediaProcessingRow(
        job_id, action, url_to_path(input_path), input_hash, url_to_path(output_path), *others
    )


def _unchanged(path: str, expected: str) -> bool:
    # What is a folder by now, or a pipe, has no content to hash.
    if not Path(path).is_file():
        return False
    try:
        return has_hash(path, expected)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _checked_ranges(ranges: Sequence[TimeRange | Mapping[str, Any]]) -> list[TimeRange]:
    try:
        checked = _RANGES.validate_python(ranges)
    except ValidationError as error:
        raise UsageError(f"Time range {first_fault(error)}") from None
    for number, each in enumerate(checked):
        an_object(f"payload of time range {number}", each.payload)
    return checked
