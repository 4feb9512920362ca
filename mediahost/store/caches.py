"""Cached results: found by content and config, under whatever path they were made."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    and_,
    bindparam,
    delete,
    func,
    select,
    text,
    update,
)

from mediahost.cached import MISSING, CachedFile, Hit
from mediahost.hashing import CacheKey
from mediahost.model.result import MediaProcessingResult
from mediahost.ports import Completion, StoredResult
from mediahost.store.deriving import write_made_files, write_passages
from mediahost.store.dialect import (
    among,
    insert_absent,
    listed,
    look_up,
    read_rows,
    unix_now,
    upsert,
    write_rows,
)
from mediahost.store.documents import metadata_apart, result_of
from mediahost.store.engine import Database, lasting
from mediahost.store.hits import (
    POSTGRES_HITS,
    SQLITE_CACHED_FILES,
    SQLITE_HITS,
    Wanted,
    artifacts_of,
    cached_files,
    newest_hits,
)
from mediahost.store.spelling import Spelled, json_text, json_value, unspelled
from mediahost.store.tables import analysis_jobs, file_hashes, meta, processing_jobs

_analyses = analysis_jobs.c
_processings = processing_jobs.c

# Rows of the documented columns alone are other programs': they are no results to build on.
_COMPLETE = _analyses.result_hash.is_not(None)

# First the files, then the results of each: Postgres might begin with all results of the config.
_MEMOS = (
    select(file_hashes)
    .where(among([file_hashes.c.folder], "folders"))
    .cte("memos")
    .prefix_with("MATERIALIZED")
)
_memo = _MEMOS.c
_CACHED_FILES = (
    select(
        _memo.folder,
        _memo.name,
        _memo.size,
        _memo.mtime_ns,
        _memo.ctime_ns,
        _memo.dev,
        _memo.inode,
        _memo.hashed_at_ns,
        _analyses.elapsed_ms,
        _analyses.created_at,
        _analyses.id,
        func.jsonb_exists(_analyses.metadata, MISSING),
    )
    .join_from(_MEMOS, analysis_jobs, _analyses.file_hash == _memo.file_hash)
    .where(_analyses.config_hash == bindparam("of_config"), _COMPLETE)
)

_NAMED = and_(_COMPLETE, _analyses.action.is_not(None))
_KEYED = _processings.config_hash.is_not(None)
_ANALYSES = select(analysis_jobs)
_PROCESSINGS = select(processing_jobs)

# The row that is about to be replaced, though it holds what other bytes gave.
_SUPERSEDED = select(
    _analyses.id,
    _analyses.file_path,
    _analyses.file_hash,
    _analyses.config_hash,
    _analyses.created_at,
).where(among([_analyses.file_path, _analyses.config_hash], "places"))


class CachedResults:
    """Finds what was computed before."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @lasting
    def find_hits(self, keys: Collection[CacheKey]) -> dict[CacheKey, Hit]:
        """The cached results among these keys."""
        if not keys:
            return {}
        if self._database.engine.dialect.name == "sqlite":
            wanted = Wanted(keys)
            rows, _ = self._database.fetch(SQLITE_HITS, (json_text(wanted.groups),))
            return newest_hits(wanted.told(rows), json_value)
        pairs = list(keys)
        rows, _ = self._database.fetch(POSTGRES_HITS, (json_text(pairs),))
        return newest_hits(((pairs[row[0] - 1], row) for row in rows), lambda plain: plain)

    @lasting
    def recall_cached(
        self, folders: Collection[str], config_hash: str
    ) -> dict[str, dict[str, CachedFile]]:
        """Of the files right in these folders those whose content has an analyzer's result."""
        if self._database.engine.dialect.name == "sqlite":
            wanted = (json_text(list(folders)), config_hash)
            return cached_files(self._database.fetch(SQLITE_CACHED_FILES, wanted).rows)
        named = {"folders": listed(folders), "of_config": config_hash}
        return cached_files(look_up(self._database, _CACHED_FILES, named))

    @lasting
    def load_results(self, keys: Collection[CacheKey]) -> dict[CacheKey, StoredResult]:
        """The cached results among these keys, whole."""
        if not keys:
            return {}
        wanted = {"keys": listed(keys)}
        stored = self._load(
            _ANALYSES.where(among([_analyses.file_hash, _analyses.config_hash], "keys"), _COMPLETE),
            _PROCESSINGS.where(among([_processings.input_hash, _processings.config_hash], "keys")),
            wanted,
        )
        return {each.hit.key: each for each in stored}

    @lasting
    def results_of(self, file_hash: str) -> list[StoredResult]:
        """All cached results for the content with this hash, the newest first, one a key."""
        stored = self._load(
            _ANALYSES.where(_analyses.file_hash == bindparam("file_hash"), _NAMED),
            _PROCESSINGS.where(_processings.input_hash == bindparam("file_hash"), _KEYED),
            {"file_hash": file_hash},
        )
        return _newest_first(stored)

    @lasting
    def results_at(self, media_url: str) -> list[StoredResult]:
        """All cached results computed from a file at this path, the newest first, one a key."""
        stored = self._load(
            _ANALYSES.where(_analyses.file_path == bindparam("at_path"), _NAMED),
            _PROCESSINGS.where(_processings.input_path == bindparam("at_path"), _KEYED),
            {"at_path": media_url},
        )
        return _newest_first(stored)

    def _load(
        self,
        analyses: Select[Any],
        processings: Select[Any],
        parameters: Mapping[str, Any],
    ) -> list[StoredResult]:
        """All that the two statements find, the oldest first."""
        with self._database.read() as connection:
            rows = [
                *((row, _analysis) for row in connection.execute(analyses, parameters).mappings()),
                *(
                    (row, _processing)
                    for row in connection.execute(processings, parameters).mappings()
                ),
            ]
        rows.sort(key=lambda each: (each[0]["created_at"], each[0]["id"]))
        return [stored(row) for row, stored in rows]


def _newest_first(oldest_first: Iterable[StoredResult]) -> list[StoredResult]:
    newest: dict[CacheKey, StoredResult] = {}
    for each in oldest_first:
        newest.pop(each.hit.key, None)
        newest[each.hit.key] = each
    return list(newest.values())[::-1]


def save_results(
    connection: Connection,
    completions: Sequence[Completion],
    members: Sequence[Mapping[str, Spelled | None]],
) -> None:
    """Write the cache rows of completed jobs, whose results have these members."""
    analyses, processings = [], []
    for completion, member in zip(completions, members, strict=True):
        if isinstance(completion.result, MediaProcessingResult):
            processings.append(_processing_row(completion, member))
        else:
            analyses.append(_analysis_row(completion, member))
    if analyses:
        save_analyses(connection, analyses)
    if processings:
        save_processings(connection, processings)


_PLACE = ("file_path", "config_hash")
# Of two that replaced at once, either would miss what the other one had just put there, or both
# would keep the same old content. Any number: "replaced" in ASCII. SQLite has one writer.
_LOCK = text("SELECT pg_advisory_xact_lock(8243118303764243812)")
_COUNT_LOST = update(meta).values(results_lost=meta.c.results_lost + 1)
# One object, so that the statement made with it is found again.
_MADE_NOW = {"created_at": unix_now()}
_INSERT_PROCESSING = processing_jobs.insert().values(_MADE_NOW)


def save_processings(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows of what processors made, and the names of the files."""
    write_rows(connection, _INSERT_PROCESSING, rows)
    write_made_files(connection, rows)


def save_processing_once(connection: Connection, row: Mapping[str, Any]) -> None:
    """Add a row of what a processor made, unless its job has one already."""
    if insert_absent(connection, processing_jobs, [row], key=["job_id"], fixed=_MADE_NOW):
        write_made_files(connection, [row])


def save_analyses(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put rows of what analyzers found into their places, and what they say into the search."""
    rows = _one_a_place(rows)
    replaced: list[int] = []
    # Nearly always the places are free; what is in them is asked for only if they are not.
    if insert_absent(connection, analysis_jobs, rows, key=_PLACE, fixed=_MADE_NOW) < len(rows):
        replaced = _keep_superseded(connection, rows)
        upsert(connection, analysis_jobs, rows, key=_PLACE, fixed=_MADE_NOW)
    write_passages(connection, rows, replaced)
    if any(MISSING in (unspelled(row["metadata"]) or ()) for row in rows):
        # They may have taken the place of complete ones, which folders are remembered for.
        connection.execute(_COUNT_LOST)


def _one_a_place(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Let only the last of several contents of one path stay there, the others under their hash."""
    kept: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in rows:
        place = (row["file_path"], row["config_hash"])
        earlier = kept.pop(place, None)
        if earlier and earlier["file_hash"] != row["file_hash"]:
            kept[earlier["file_hash"], row["config_hash"]] = {
                **earlier,
                "file_path": earlier["file_hash"],
            }
        kept[place] = row
    return list(kept.values())


def _keep_superseded(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Give rows that other content is about to replace their content's name for a path.

    A copy of the old content may lie elsewhere, and this may be its only cached result.

    Returns:
        Ids of the rows that stay in their place, to be replaced.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
    replaced = []
    coming = {(row["file_path"], row["config_hash"]): row["file_hash"] for row in rows}
    for there in read_rows(connection, _SUPERSEDED, {"places": listed(coming)}):
        number, file_path, file_hash, config_hash, created_at = there
        same = coming[file_path, config_hash] == file_hash
        if same or not _move_to(connection, number, CacheKey(file_hash, config_hash), created_at):
            replaced.append(number)
    return replaced


def _move_to(connection: Connection, number: int, key: CacheKey, created_at: float) -> bool:
    """Give a row the name of its content for a path, unless a newer one has that."""
    kept = connection.execute(
        select(_analyses.id, _analyses.created_at).where(
            _analyses.file_path == key.file_hash, _analyses.config_hash == key.config_hash
        )
    ).one_or_none()
    if kept and kept.created_at > created_at:
        # The row at the path is the older one: let it be replaced.
        return False
    if kept:
        connection.execute(delete(analysis_jobs).where(_analyses.id == kept.id))
    connection.execute(
        update(analysis_jobs).where(_analyses.id == number).values(file_path=key.file_hash)
    )
    return True


def _analysis_row(completion: Completion, member: Mapping[str, Spelled | None]) -> dict[str, Any]:
    request = completion.job.request
    return {
        "file_path": request.media.source,
        "file_hash": request.media.file_hash,
        "config_hash": request.config_hash,
        "ranges": member["ranges"],
        "metadata": member["metadata"],
        "action": request.action,
        "action_version": request.action_version,
        "config": dict(request.config),
        "result_hash": completion.result_hash,
        "elapsed_ms": completion.elapsed_ms,
        "transcription": member["transcription"],
        "analysis": member["analysis"],
    }


def _processing_row(completion: Completion, member: Mapping[str, Spelled | None]) -> dict[str, Any]:
    request = completion.job.request
    first, *_ = unspelled(member["artifacts"])
    return {
        "job_id": str(completion.job.token.job_id),
        "action": request.action,
        "input_path": request.media.source,
        "input_hash": request.media.file_hash,
        "output_path": first["path"],
        "output_hash": first["file_hash"],
        "parameters": dict(request.config),
        "metadata": member["metadata"],
        "config_hash": request.config_hash,
        "action_version": request.action_version,
        "result_hash": completion.result_hash,
        "elapsed_ms": completion.elapsed_ms,
        "artifacts": member["artifacts"],
    }


def _analysis(row: RowMapping) -> StoredResult:
    metadata, completeness = metadata_apart(row["metadata"])
    return StoredResult(
        hit=Hit(
            CacheKey(row["file_hash"], row["config_hash"]),
            row["result_hash"],
            row["elapsed_ms"],
            (),
            completeness.describe(),
        ),
        # Of what was saved without the host, only the key is known.
        action=row["action"] or "",
        action_version=row["action_version"] or 0,
        config=row["config"] or {},
        media_url=row["file_path"],
        result=result_of(
            {
                "kind": "analysis",
                "ranges": row["ranges"] or [],
                "metadata": metadata,
                "transcription": row["transcription"],
                "analysis": row["analysis"],
                "completeness": completeness,
            }
        ),
        created_at=row["created_at"],
    )


def _processing(row: RowMapping) -> StoredResult:
    metadata, completeness = metadata_apart(row["metadata"])
    return StoredResult(
        hit=Hit(
            CacheKey(row["input_hash"], row["config_hash"]),
            row["result_hash"],
            row["elapsed_ms"],
            artifacts_of(row["artifacts"]),
            completeness.describe(),
        ),
        action=row["action"],
        action_version=row["action_version"],
        config=row["parameters"],
        media_url=row["input_path"],
        result=result_of(
            {
                "kind": "processing",
                "artifacts": row["artifacts"],
                "metadata": metadata,
                "completeness": completeness,
            }
        ),
        created_at=row["created_at"],
    )
