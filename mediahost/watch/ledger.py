"""The ledger: what is known of a watch's files, written to the store in batches."""

import time
from collections.abc import Collection, Iterable

from mediahost.host.found import FoundFile
from mediahost.model.paths import path_to_url, url_to_path
from mediahost.model.watch import FileState
from mediahost.ports import WatchedFile, WatchStore

FLUSH_S = 0.25
FLUSH_ROWS = 2000

Place = tuple[str, str]


class Ledger:
    """The rows of one watch: changes wait here until there are many, or time has passed."""

    def __init__(self, store: WatchStore, watch_id: int) -> None:
        self._store = store
        self._watch_id = watch_id
        self._changed: dict[Place, WatchedFile] = {}
        self._due = 0.0

    def put(
        self,
        file: FoundFile,
        known: WatchedFile | None,
        state: FileState,
        reason: str = "",
        file_hash: str | None = None,
    ) -> WatchedFile:
        """Note where a file is now; returns what is known of it from now on."""
        now = time.time()
        folder, name = place_of(file)
        changed = known is None or known.state is not state or known.stat != file.stat
        generation = 1
        if known is not None:
            is_other = file_hash is not None and known.file_hash not in (None, file_hash)
            generation = known.generation + is_other
        row = WatchedFile(
            folder,
            name,
            file.stat,
            state,
            reason,
            generation,
            file_hash or (known.file_hash if known else None),
            known.first_seen if known else now,
            now if changed or known is None else known.changed_at,
        )
        self.keep(row)
        return row

    def keep(self, row: WatchedFile) -> None:
        """Note a row as it is."""
        if not self._changed:
            self._due = time.monotonic() + FLUSH_S
        self._changed[row.folder, row.name] = row

    def flush(self, *, now: bool = False) -> None:
        """Write what has changed, if it is time."""
        if not self._changed:
            return
        if now or len(self._changed) >= FLUSH_ROWS or time.monotonic() >= self._due:
            rows, self._changed = list(self._changed.values()), {}
            self._store.keep_watched(self._watch_id, rows)

    @property
    def due(self) -> float | None:
        """When to flush, by the monotonic clock."""
        return self._due if self._changed else None

    def at(self, places: Collection[Place]) -> dict[Place, WatchedFile]:
        """What is known of these places."""
        known = {place: self._changed[place] for place in places if place in self._changed}
        asked = [place for place in places if place not in known]
        return {**self._store.watched_at(self._watch_id, asked), **known} if asked else known

    def in_folders(self, folders: Collection[str]) -> dict[str, dict[str, WatchedFile]]:
        """What is known of the files right in these folders. Flush before."""
        return self._store.watched_in(self._watch_id, folders)

    def stats_in(
        self, folders: Collection[str]
    ) -> dict[str, dict[str, tuple[tuple[int, ...], str]]]:
        """Stat and state of the files right in these folders. Flush before."""
        return self._store.watched_stats(self._watch_id, folders)

    def with_inodes(self, inodes: Collection[int]) -> Iterable[WatchedFile]:
        """What is known of files with these inode numbers."""
        wanted = set(inodes)
        stored = self._store.watched_by_inode(self._watch_id, inodes)
        fresh = [row for row in self._changed.values() if row.stat.inode in wanted]
        places = {(row.folder, row.name) for row in fresh}
        return [*fresh, *(row for row in stored if (row.folder, row.name) not in places)]

    def folders(self) -> set[str]:
        """The folders that have files which are not gone. Flush before."""
        return self._store.watched_folders(self._watch_id)

    def counts(self) -> dict[FileState, int]:
        """How many files are in which state. Flush before."""
        return self._store.count_watched(self._watch_id)


def place_of(file: FoundFile) -> Place:
    """Where a file is, as the store has it."""
    return path_to_url(file.folder), path_to_url(file.name)


def path_at(top: str, place: Place) -> str:
    """The absolute path of a place."""
    folder, name = url_to_path(place[0]), url_to_path(place[1])
    return f"{top}/{folder}/{name}" if folder else f"{top}/{name}"
