"""Watches in the store: rules, health, files and outputs, read and written in batches."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from mediahost.hashing import FileStat
from mediahost.model.watch import FileState
from mediahost.ports import OwnOutput, WatchedFile, WatchRow
from mediahost.store.dialect import among, listed, upsert
from mediahost.store.engine import Database, lasting
from mediahost.store.watch_tables import watch_outputs, watched_files, watches

_w = watches.c
_f = watched_files.c
_o = watch_outputs.c
_FILES = select(
    _f.folder,
    _f.name,
    _f.size,
    _f.mtime_ns,
    _f.ctime_ns,
    _f.dev,
    _f.inode,
    _f.state,
    _f.reason,
    _f.generation,
    _f.file_hash,
    _f.first_seen,
    _f.changed_at,
)
_OF_WATCH = _f.watch_id == bindparam("watch")
_IN_FOLDERS = _FILES.where(_OF_WATCH, among([_f.folder], "folders"))
_STATS = select(
    _f.folder, _f.name, _f.size, _f.mtime_ns, _f.ctime_ns, _f.dev, _f.inode, _f.state
).where(_OF_WATCH, among([_f.folder], "folders"))
_AT = _FILES.where(_OF_WATCH, among([_f.folder, _f.name], "places"))
_BY_INODE = _FILES.where(_OF_WATCH, among([_f.inode], "inodes"))
_BY_STATE = (
    _FILES.where(_OF_WATCH, among([_f.state], "states"))
    .order_by(_f.changed_at.desc())
    .limit(bindparam("most"))
)
_FOLDERS = select(_f.folder).where(_OF_WATCH, _f.state != str(FileState.GONE)).distinct()
_COUNTS = select(_f.state, func.count()).where(_OF_WATCH).group_by(_f.state)
_REOPEN = (
    update(watched_files)
    .where(_OF_WATCH, among([_f.state], "states"))
    .values(state=bindparam("now_state"), reason=bindparam("now_reason"))
)
_OUTPUTS = select(_o.watch_id, _o.file_hash, _o.size, _o.source, _o.action, _o.depth).where(
    among([_o.file_hash], "hashes")
)


# Called for each file of a reconcile; a look into a dict is a third of a call of the class.


class Watches:
    """Remembers watched folders and their files."""

    _database: Database

    @lasting
    def watches(self) -> list[WatchRow]:
        """All watches, by name."""
        with self._database.read() as connection:
            return [_watch(row) for row in connection.execute(select(watches).order_by(_w.name))]

    @lasting
    def keep_watch(self, /, name: str, **values: Any) -> None:
        """Make a watch, or change these values of it."""
        with self._database.write() as connection:
            changed = connection.execute(update(watches).where(_w.name == name).values(**values))
            if not changed.rowcount:
                connection.execute(insert(watches).values(name=name, **values))

    @lasting
    def change_watch(self, /, name: str, **values: Any) -> bool:
        """Change these values of a watch; whether there is one of that name."""
        with self._database.write() as connection:
            changed = connection.execute(update(watches).where(_w.name == name).values(**values))
            return bool(changed.rowcount)

    @lasting
    def take_watch(self, name: str, host: str, instead_of: str | None) -> bool:
        """Make a watch `host`'s, if `instead_of` has it now; whether it did."""
        held = _w.host.is_(None) if instead_of is None else _w.host == instead_of
        with self._database.write() as connection:
            taken = connection.execute(
                update(watches).where(_w.name == name, held).values(host=host, seen_at=time.time())
            )
            return bool(taken.rowcount)

    @lasting
    def release_watch(self, name: str, host: str) -> None:
        """Make a watch nobody's, if it is `host`'s."""
        with self._database.write() as connection:
            mine = (_w.name == name, _w.host == host)
            connection.execute(update(watches).where(*mine).values(host=None))

    @lasting
    def delete_watch(self, name: str) -> bool:
        """Forget a watch and its files, though not their results; whether there was one."""
        with self._database.write() as connection:
            return bool(connection.execute(delete(watches).where(_w.name == name)).rowcount)

    @lasting
    def watched_in(
        self, watch_id: int, folders: Collection[str]
    ) -> dict[str, dict[str, WatchedFile]]:
        """What is known of the files right in each of these folders, by folder and name."""
        found: dict[str, dict[str, WatchedFile]] = {}
        with self._database.read() as connection:
            rows = connection.execute(_IN_FOLDERS, {"watch": watch_id, "folders": listed(folders)})
            for row in rows:
                found.setdefault(row[0], {})[row[1]] = _file(row)
        return found

    @lasting
    def watched_stats(
        self, watch_id: int, folders: Collection[str]
    ) -> dict[str, dict[str, tuple[tuple[int, ...], str]]]:
        """By folder and name: the stat, as `FileStat` has it, and the state. Made for speed."""
        found: dict[str, dict[str, tuple[tuple[int, ...], str]]] = {}
        with self._database.read() as connection:
            asked = {"watch": watch_id, "folders": listed(folders)}
            for folder, name, *stat, state in connection.execute(_STATS, asked).all():
                found.setdefault(folder, {})[name] = tuple(stat), state
        return found

    @lasting
    def watched_at(
        self, watch_id: int, places: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], WatchedFile]:
        """What is known of the files at these places: folder and name."""
        with self._database.read() as connection:
            rows = connection.execute(_AT, {"watch": watch_id, "places": listed(places)})
            return {(row[0], row[1]): _file(row) for row in rows}

    @lasting
    def watched_by_inode(self, watch_id: int, inodes: Collection[int]) -> list[WatchedFile]:
        """The files that have one of these inode numbers."""
        with self._database.read() as connection:
            rows = connection.execute(_BY_INODE, {"watch": watch_id, "inodes": listed(inodes)})
            return [_file(row) for row in rows]

    @lasting
    def watched_by_state(
        self, watch_id: int, states: Collection[FileState], limit: int = 1 << 31
    ) -> list[WatchedFile]:
        """The files in one of these states, those that changed last first."""
        values = {"watch": watch_id, "states": listed(map(str, states)), "most": limit}
        with self._database.read() as connection:
            return [_file(row) for row in connection.execute(_BY_STATE, values)]

    @lasting
    def watched_folders(self, watch_id: int) -> set[str]:
        """The folders in which files are known that are not gone."""
        with self._database.read() as connection:
            return {row[0] for row in connection.execute(_FOLDERS, {"watch": watch_id})}

    @lasting
    def count_watched(self, watch_id: int) -> dict[FileState, int]:
        """How many files are in which state."""
        with self._database.read() as connection:
            rows = connection.execute(_COUNTS, {"watch": watch_id})
            return {FileState.kept(state): number for state, number in rows}

    def keep_watched(self, watch_id: int, files: Iterable[WatchedFile]) -> None:
        """Write what is known of files, in one transaction."""
        rows = [
            {
                "watch_id": watch_id,
                "folder": file.folder,
                "name": file.name,
                **file.stat._asdict(),
                "state": str(file.state),
                "reason": file.reason,
                "generation": file.generation,
                "file_hash": file.file_hash,
                "first_seen": file.first_seen,
                "changed_at": file.changed_at,
            }
            for file in files
        ]
        if rows:
            self._keep_watched(rows)

    @lasting
    def _keep_watched(self, rows: Sequence[Mapping[str, Any]]) -> None:
        with self._database.write() as connection:
            upsert(connection, watched_files, rows, key=["watch_id", "folder", "name"])

    @lasting
    def reopen_watched(self, watch_id: int, states: Collection[FileState], reason: str) -> int:
        """Have files in one of these states settle again; how many there were."""
        values = {"watch": watch_id, "states": listed(map(str, states))}
        again = {"now_state": str(FileState.SETTLING), "now_reason": reason}
        with self._database.write() as connection:
            return int(connection.execute(_REOPEN, {**values, **again}).rowcount)

    @lasting
    def record_outputs(self, outputs: Sequence[OwnOutput]) -> None:
        """Remember what is about to be written, before it is."""
        if outputs:
            with self._database.write() as connection:
                rows = [output._asdict() for output in outputs]
                upsert(connection, watch_outputs, rows, key=["watch_id", "file_hash"])

    @lasting
    def find_outputs(self, hashes: Collection[str]) -> dict[str, list[OwnOutput]]:
        """What watches wrote with these contents."""
        found: dict[str, list[OwnOutput]] = {}
        with self._database.read() as connection:
            for row in connection.execute(_OUTPUTS, {"hashes": listed(hashes)}):
                found.setdefault(row.file_hash, []).append(OwnOutput(*row))
        return found


def _file(row: Sequence[Any]) -> WatchedFile:
    folder, name, size, mtime, ctime, dev, inode, state, *rest = row
    return WatchedFile(
        folder, name, FileStat(size, mtime, ctime, dev, inode), FileState.kept(state), *rest
    )


def _watch(row: Row[*tuple[Any, ...]]) -> WatchRow:
    return WatchRow(**row._asdict())
