"""Files: what the hashes of media files are."""

import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

from mediahost.cached import HashedFile
from mediahost.errors import MediahostError
from mediahost.hashing import ChangedWhileHashing, FileStat, hash_file
from mediahost.host.found import FoundFile, Problem, reason_of
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.paths import display, is_remote, path_to_url
from mediahost.ports import Clock, Store

# Remember hashes after so many files: a kill in the middle of a large folder loses little.
REMEMBER_EVERY = 256

# A file that nobody has touched for so long is taken to be settled, so that it may be mapped.
SETTLED_NS = 60_000_000_000

# So many files' hashes stay in memory, at some 600 bytes each.
MOST_RECENT = 20_000


class MediaChanged(MediahostError):
    """The media file is no longer the one that was asked about."""


class Candidate(NamedTuple):
    """A hashed media file, lighter than `MediaFile`: there may be a million of them.

    `path` is the URL of one that is fetched.
    """

    path: str
    kind: MediaKind
    file_hash: str

    def media_file(self) -> MediaFile:
        """As actions and stores see it."""
        return MediaFile.known_by(self.source, self.kind, self.file_hash)

    @property
    def source(self) -> str:
        """What it is known by, as text."""
        return self.path if is_remote(self.path) else path_to_url(self.path)


def _holds(known: HashedFile, stat: FileStat) -> bool:
    """Whether the file still is what was hashed, by git's rule for racy timestamps."""
    return known.stat == stat and stat.trusted_since(known.hashed_at_ns)


class FileHashes:
    """The hashes of files, read again only when a file may have changed since."""

    def __init__(self, store: Store, clock: Clock, threads: int) -> None:
        self._store = store
        self._clock = clock
        self._threads = threads
        # What the memo says of files whose jobs are about to run, or are running: each is looked
        # at before and after its attempt, and a query costs more than a short attempt.
        self._recent: OrderedDict[str, HashedFile] = OrderedDict()

    def of_found(
        self,
        found: Collection[FoundFile],
        problems: list[Problem],
        on_hashed: Callable[[int, int], None] = lambda _done, _total: None,
        anew: Collection[str] = (),
    ) -> list[Candidate]:
        """Hash what the walk found, out of the memo where it can be trusted.

        Args:
            found: The files.
            problems: Files that can't be read are added here.
            on_hashed: Called with how many of how many files that had to be read are done.
            anew: Paths of files that are read in any case: what the memo trusts, their stat, is
                what somebody doubts.

        Returns:
            The files that could be hashed, in their order.
        """
        folders = {folder: path_to_url(folder) for folder in {file.folder for file in found}}
        memo = self._store.recall_hashes(folders.values())
        known_in = {folder: memo.get(url, {}) for folder, url in folders.items()}
        hashes: list[str | None] = []
        unknown: list[tuple[int, FoundFile]] = []
        for file in found:
            known = known_in[file.folder].get(path_to_url(file.name))
            if known and file.path not in anew and _holds(known, file.stat):
                hashes.append(known.file_hash)
                self._keep(file.path, known)
            else:
                unknown.append((len(hashes), file))
                hashes.append(None)
        for index, outcome in self._read_all(unknown, on_hashed):
            if isinstance(outcome, Problem):
                problems.append(outcome)
            else:
                hashes[index] = outcome.file_hash
        return [
            Candidate(file.path, file.kind, file_hash)
            for file, file_hash in zip(found, hashes, strict=True)
            if file_hash is not None
        ]

    def of(self, path: str) -> str:
        """The hash of one file as it is now.

        Raises:
            OSError: It can't be read.
            ChangedWhileHashing: It is being written.
        """
        return self.look(path)[1]

    def look(self, path: str) -> tuple[FileStat, str]:
        """One file's status and hash as it is now.

        Raises:
            OSError: It can't be read.
            ChangedWhileHashing: It is being written.
        """
        status = FileStat.of(os.stat(path))  # noqa: PTH116
        known = self._recent.get(path)
        if known is not None and _holds(known, status):
            return status, known.file_hash
        folder, name = os.path.split(path)
        known = self._store.recall_hash(path_to_url(folder), path_to_url(name))
        if known and _holds(known, status):
            self._keep(path, known)
            return status, known.file_hash
        fresh = self._read(path, status)
        self._remember([(folder, name, fresh)])
        return fresh.stat, fresh.file_hash

    def unchanged(self, files: Mapping[str, str]) -> set[str]:
        """Those of these paths that are there with the hash that is given for each."""
        found = []
        for path in files:
            try:
                status = FileStat.of(os.stat(path))  # noqa: PTH116
            except OSError:
                continue
            folder, name = os.path.split(path)
            found.append(FoundFile(path, folder, name, MediaKind.DOCUMENT, status))
        hashed = self.of_found(found, [])
        return {file.path for file in hashed if files[file.path] == file.file_hash}

    def _read_all(
        self, files: Collection[tuple[int, FoundFile]], on_hashed: Callable[[int, int], None]
    ) -> Iterator[tuple[int, HashedFile | Problem]]:
        if not files:
            return
        pending = iter(files)
        done = 0
        with ThreadPoolExecutor(self._threads, "hash") as pool:
            while batch := list(islice(pending, REMEMBER_EVERY)):
                fresh: list[tuple[str, str, HashedFile]] = []
                outcomes = pool.map(self._try_to_read, [file for _, file in batch])
                for (index, file), outcome in zip(batch, outcomes, strict=True):
                    if isinstance(outcome, HashedFile):
                        fresh.append((file.folder, file.name, outcome))
                    done += 1
                    on_hashed(done, len(files))
                    yield index, outcome
                self._remember(fresh)

    def _try_to_read(self, file: FoundFile) -> HashedFile | Problem:
        try:
            return self._read(file.path, file.stat)
        except ChangedWhileHashing:
            message = f"{display(file.path)} is being written; it is left for the next run"
            return Problem(file.path, message)
        except OSError as error:
            return Problem(file.path, reason_of(file.path, error))

    def _read(self, path: str, stat: FileStat) -> HashedFile:
        now = self._clock.time_ns()
        settled = max(stat.mtime_ns, stat.ctime_ns) < now - SETTLED_NS
        file_hash, stat = hash_file(path, self._store.algorithm, settled=settled)
        return HashedFile(stat, now, file_hash)

    def _keep(self, path: str, known: HashedFile) -> None:
        self._recent[path] = known
        if len(self._recent) > MOST_RECENT:
            self._recent.popitem(last=False)

    def _remember(self, files: Collection[tuple[str, str, HashedFile]]) -> None:
        for folder, name, hashed in files:
            self._keep(os.path.join(folder, name), hashed)  # noqa: PTH118 - bad UTF-8, and speed
        self._store.remember_hashes(
            (path_to_url(folder), path_to_url(name), hashed) for folder, name, hashed in files
        )
