"""The memo of file hashes: what makes ten thousand unchanged files cost one read."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from mediahost.cached import HashedFile
from mediahost.hashing import FileStat
from mediahost.store.dialect import among, listed, look_up, upsert
from mediahost.store.engine import Database, lasting
from mediahost.store.tables import file_hashes

_columns = file_hashes.c
_MEMOS = select(
    _columns.folder,
    _columns.name,
    _columns.size,
    _columns.mtime_ns,
    _columns.ctime_ns,
    _columns.dev,
    _columns.inode,
    _columns.hashed_at_ns,
    _columns.file_hash,
)
_RECALL = _MEMOS.where(among([_columns.folder], "folders"))
_RECALL_ONE = _MEMOS.where(
    _columns.folder == bindparam("at_folder"), _columns.name == bindparam("at_name")
)


class FileHashes:
    """Remembers which hash a file had."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @lasting
    def recall_hashes(self, folders: Collection[str]) -> dict[str, dict[str, HashedFile]]:
        """What is remembered of the files right in each of these folders."""
        found: dict[str, dict[str, HashedFile]] = {}
        wanted = {"folders": listed(set(folders))}
        for folder, name, *memo in look_up(self._database, _RECALL, wanted):
            found.setdefault(folder, {})[name] = _hashed(memo)
        return found

    @lasting
    def recall_hash(self, folder: str, name: str) -> HashedFile | None:
        """What is remembered of one file."""
        rows = look_up(self._database, _RECALL_ONE, {"at_folder": folder, "at_name": name})
        return _hashed(rows[0][2:]) if rows else None

    def remember_hashes(self, files: Iterable[tuple[str, str, HashedFile]]) -> None:
        """Remember the hashes of files, each given by folder and name; the newest wins."""
        rows = [
            {
                "folder": folder,
                "name": name,
                **file.stat._asdict(),
                "hashed_at_ns": file.hashed_at_ns,
                "file_hash": file.file_hash,
            }
            for folder, name, file in files
        ]
        # A memo saves time; a store that is only looked at does without.
        if rows and not self._database.closed_to_writing:
            self._remember(rows)

    @lasting
    def _remember(self, rows: Sequence[Mapping[str, Any]]) -> None:
        with self._database.write() as connection:
            upsert(connection, file_hashes, rows, key=["folder", "name"], newer_by="hashed_at_ns")


def _hashed(memo: Sequence[Any]) -> HashedFile:
    *stat, hashed_at_ns, file_hash = memo
    return HashedFile(FileStat(*stat), hashed_at_ns, file_hash)
