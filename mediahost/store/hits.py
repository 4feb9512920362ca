"""Cached results as rows of the two caches tell them, and how databases are asked for them.

They answer with places in the list of what was asked for, so that nobody makes keys anew out of
text. SQLite is given each config once with the hashes of all files under it: a list of as many
pairs, to be taken apart one by one, takes twice as long.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from mediahost.cached import MISSING, CachedFile, Hit
from mediahost.hashing import CacheKey
from mediahost.model.paths import url_to_path

_OPENING = f'{{"{MISSING}"'
_IS_MISSING = f"substr(metadata, 1, {len(_OPENING)}) = '{_OPENING}'"
_SQLITE_MISSING = f"CASE WHEN {_IS_MISSING} THEN json_extract(metadata, '$.{MISSING}') END"

_GROUPED = """\
SELECT groups.key, files.key, {missing}, created_at, found.id, result_hash, elapsed_ms, {artifacts}
FROM json_each(?1) AS groups
CROSS JOIN json_each(groups.value) AS files
CROSS JOIN {table} AS found
WHERE found.{file_hash} = files.value AND found.config_hash = groups.key{condition}
"""
# Rows of the documented columns alone are other programs': they are no results to build on.
_OF_ANALYSES = {
    "table": "analysis_jobs",
    "file_hash": "file_hash",
    "artifacts": "NULL",
    "condition": " AND result_hash IS NOT NULL",
}
_OF_PROCESSINGS = {
    "table": "processing_jobs",
    "file_hash": "input_hash",
    "artifacts": "artifacts",
    "condition": "",
}
SQLITE_HITS = f"""
{_GROUPED.format(**_OF_ANALYSES, missing=_SQLITE_MISSING)}UNION ALL
{_GROUPED.format(**_OF_PROCESSINGS, missing=_SQLITE_MISSING)}"""

# Postgres, which takes groups for a hundred times as many keys, is given pairs: as JSON, for two
# arrays cost three times as much to send.
_PAIRED = """\
SELECT wanted.at, {missing}, created_at, found.id, result_hash, elapsed_ms, {artifacts}
FROM wanted
JOIN {table} AS found ON found.{file_hash} = pair->>0 AND found.config_hash = pair->>1{condition}
"""
_POSTGRES_MISSING = f"metadata->'{MISSING}'"
POSTGRES_HITS = f"""
WITH wanted AS (
    SELECT * FROM jsonb_array_elements(CAST(%s AS JSONB)) WITH ORDINALITY AS listed(pair, at))
{_PAIRED.format(**_OF_ANALYSES, missing=_POSTGRES_MISSING)}UNION ALL
{_PAIRED.format(**_OF_PROCESSINGS, missing=_POSTGRES_MISSING)}"""  # noqa: S608 - of words above

# One folder after the other, each in the order of its names, then the results of each content.
SQLITE_CACHED_FILES = f"""
SELECT memo.folder, name, size, mtime_ns, ctime_ns, dev, inode, hashed_at_ns,
    elapsed_ms, created_at, found.id, {_IS_MISSING}
FROM json_each(?) AS folders
CROSS JOIN file_hashes AS memo
CROSS JOIN analysis_jobs AS found
WHERE memo.folder = folders.value
    AND found.file_hash = memo.file_hash AND found.config_hash = ? AND result_hash IS NOT NULL
"""  # noqa: S608 - of words above

# What was remembered of folders for recipes that nobody runs any more goes when the folder is
# looked at next.
KEPT_FOLDERS_S = 90 * 86_400

# Ends with what is missing, when it was made, id, result hash, elapsed in ms, and artifacts; the
# first and the last, if there are any, as the database gives JSON.
Told = tuple[Any, ...]
_AGE = slice(-5, -3)


class Wanted:
    """Keys to be found on SQLite.

    Attributes:
        groups: Each config with the files under it: the parameter of SQLITE_HITS, in JSON.
    """

    def __init__(self, keys: Collection[CacheKey]) -> None:
        by_config: defaultdict[str, list[CacheKey]] = defaultdict(list)
        for key in keys:
            by_config[key[1]].append(key)
        self._keys = by_config
        self.groups = {
            config_hash: [key[0] for key in its] for config_hash, its in by_config.items()
        }

    def told(self, rows: Iterable[Told]) -> Iterator[tuple[CacheKey, Told]]:
        """What rows of SQLITE_HITS say of which key."""
        of_config = None
        keys: list[CacheKey] = []
        for row in rows:
            if row[0] != of_config:
                of_config = row[0]
                keys = self._keys[of_config]
            yield keys[row[1]], row


def cached_files(rows: Iterable[tuple[Any, ...]]) -> dict[str, dict[str, CachedFile]]:
    """What rows of SQLITE_CACHED_FILES say, of several results of one content the newest.

    A file whose result is incomplete is left out: it needs a look of its own.
    """
    found: dict[str, dict[str, CachedFile]] = {}
    newest: dict[str, dict[str, tuple[Any, ...]]] = {}
    at = None
    for row in rows:
        folder, name = row[0], row[1]
        if folder != at:
            at, files, its = folder, found.setdefault(folder, {}), newest.setdefault(folder, {})
        # When it was made, and its id.
        if name not in its or its[name][9:11] <= row[9:11]:
            its[name] = row
            if row[11]:
                files.pop(name, None)
            else:
                files[name] = row[2:9]
    return found


def newest_hits(
    told: Iterable[tuple[CacheKey, Told]], read_json: Callable[[Any], Any]
) -> dict[CacheKey, Hit]:
    """The newest cached result under each key.

    Args:
        told: What the database tells of each, in any order.
        read_json: What makes a plain value of JSON as the database gives it.
    """
    newest: dict[CacheKey, Told] = {}
    for key, its in told:
        earlier = newest.get(key)
        if earlier is None or earlier[_AGE] <= its[_AGE]:
            newest[key] = its
    return {
        key: Hit(
            key,
            its[-3],
            its[-2],
            artifacts_of(read_json(its[-1])) if its[-1] else (),
            _in_words(read_json(its[-6])) if its[-6] else "",
        )
        for key, its in newest.items()
    }


def _in_words(document: Any) -> str:
    # Loads pydantic, for which a run that finds everything complete has no time.
    from mediahost.store.documents import missing_of  # noqa: PLC0415 - see above

    return missing_of(document)


def artifacts_of(document: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    """(path, hash) of each artifact."""
    return tuple((url_to_path(each["path"]), each["file_hash"]) for each in document)
