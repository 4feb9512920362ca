"""Cached results as rows of the two caches tell them, and how databases are asked for them.

They answer with places in the list of what was asked for, so that nobody makes keys anew out of
text. SQLite is given each config once with the hashes of all files under it: a list of as many
pairs, to be taken apart one by one, takes twice as long.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from mediahost.cached import CachedFile, Hit
from mediahost.hashing import CacheKey
from mediahost.model.paths import url_to_path

_GROUPED = """
SELECT groups.key, files.key, created_at, found.id, result_hash, elapsed_ms, {artifacts}
FROM json_each(?) AS groups
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
SQLITE_ANALYSES = _GROUPED.format(**_OF_ANALYSES)
SQLITE_PROCESSINGS = _GROUPED.format(**_OF_PROCESSINGS)

# Postgres, which takes groups for a hundred times as many keys, is given pairs: as JSON, for two
# arrays cost three times as much to send.
_PAIRED = """
SELECT wanted.at, created_at, found.id, result_hash, elapsed_ms, {artifacts}
FROM jsonb_array_elements(CAST(%s AS JSONB)) WITH ORDINALITY AS wanted(pair, at)
JOIN {table} AS found ON found.{file_hash} = pair->>0 AND found.config_hash = pair->>1{condition}
"""
POSTGRES_ANALYSES = _PAIRED.format(**_OF_ANALYSES)
POSTGRES_PROCESSINGS = _PAIRED.format(**_OF_PROCESSINGS)

# One folder after the other, each in the order of its names, then the results of each content.
SQLITE_CACHED_FILES = """
SELECT memo.folder, name, size, mtime_ns, ctime_ns, dev, inode, hashed_at_ns,
    elapsed_ms, created_at, found.id
FROM json_each(?) AS folders
CROSS JOIN file_hashes AS memo
CROSS JOIN analysis_jobs AS found
WHERE memo.folder = folders.value
    AND found.file_hash = memo.file_hash AND found.config_hash = ? AND result_hash IS NOT NULL
"""

# What was remembered of folders for recipes that nobody runs any more goes when the folder is
# looked at next.
KEPT_FOLDERS_S = 90 * 86_400

# When it was made, id, result hash, elapsed in ms, and the artifacts as plain JSON, if any.
Told = Sequence[Any]


class Wanted:
    """Keys to be found on SQLite.

    Attributes:
        groups: Each config with the files under it: the parameter of the two statements, in JSON.
    """

    def __init__(self, keys: Collection[CacheKey]) -> None:
        by_config: defaultdict[str, list[CacheKey]] = defaultdict(list)
        for key in keys:
            by_config[key[1]].append(key)
        self._keys = by_config
        self.groups = {
            config_hash: [key[0] for key in its] for config_hash, its in by_config.items()
        }

    def told(self, rows: Iterable[Sequence[Any]]) -> Iterator[tuple[CacheKey, Told]]:
        """What rows of the two statements say of which key."""
        keys = self._keys
        return ((keys[row[0]][row[1]], row[2:]) for row in rows)


def cached_files(rows: Iterable[tuple[Any, ...]]) -> dict[str, dict[str, CachedFile]]:
    """What rows of SQLITE_CACHED_FILES say, of several results of one content the newest."""
    found: dict[str, dict[str, CachedFile]] = {}
    newest: dict[str, dict[str, tuple[Any, ...]]] = {}
    at = None
    for row in rows:
        folder, name = row[0], row[1]
        if folder != at:
            at, files, its = folder, found.setdefault(folder, {}), newest.setdefault(folder, {})
        # When it was made, and its id.
        if name not in its or its[name][9:] <= row[9:]:
            its[name] = row
            files[name] = row[2:9]
    return found


def newest_hits(told: Iterable[tuple[CacheKey, Told]]) -> dict[CacheKey, Hit]:
    """The newest cached result under each key."""
    hits: dict[CacheKey, Hit] = {}
    ages: dict[CacheKey, tuple[float, int]] = {}
    for key, (created_at, number, result_hash, elapsed_ms, made) in told:
        earlier = ages.get(key)
        if earlier is None or earlier <= (created_at, number):
            ages[key] = (created_at, number)
            hits[key] = Hit(key, result_hash, elapsed_ms, artifacts_of(made) if made else ())
    return hits


def artifacts_of(document: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    """(path, hash) of each artifact."""
    return tuple((url_to_path(each["path"]), each["file_hash"]) for each in document)
