"""Files: which media files there are, and what their hashes are."""

import os
import stat as stat_module
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from mediahost.errors import MediahostError
from mediahost.hashing import ChangedWhileHashing, FileStat, hash_file
from mediahost.model.media import MediaFile, MediaKind, display, is_remote, kind_of, path_to_url
from mediahost.ports import Clock, HashedFile, Store

# Remember hashes after so many files: a kill in the middle of a large folder loses little.
REMEMBER_EVERY = 256

# A file that nobody has touched for so long is taken to be settled, so that it may be mapped.
SETTLED_NS = 60_000_000_000

# So many files' hashes stay in memory, at some 600 bytes each.
MOST_RECENT = 20_000

# Files are sifted so many at a time: what is known of them is asked for at once.
SIFTED_AT_ONCE = 4_096

_NAME = attrgetter("name")


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
        if is_remote(self.path):
            return MediaFile.known_by(self.path, self.kind, self.file_hash)
        return MediaFile(Path(self.path), self.kind, self.file_hash)


class Problem(NamedTuple):
    """A path that nothing can be done with, why, and what might help."""

    path: str
    message: str
    hint: str | None = None


class FoundFile(NamedTuple):
    """A media file as the walk meets it, not yet hashed.

    The path is folder and name joined: scandir has done that already.
    """

    path: str
    folder: str
    name: str
    kind: MediaKind
    stat: FileStat


Sift = Callable[[Sequence[FoundFile]], Sequence[FoundFile]]


@dataclass
class Walk:
    """What a walk over files and folders found.

    Attributes:
        found: The media files, in the order of their paths below each path asked for.
        problems: Paths that can't be read or are no media file though named.
        ignored: How many files in the folders are no media files.
    """

    found: list[FoundFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: int = 0


def walk(
    paths: Iterable[str | os.PathLike[str]],
    skip: Iterable[str | os.PathLike[str]] = (),
    sift: Sift | None = None,
) -> Walk:
    """The media files at these paths, and in and below those that are folders.

    Hidden files and folders (dotfiles) are passed over, symbolic links in folders are not followed.

    Args:
        paths: Files and folders.
        skip: Folders that are not entered, such as the one that artifacts are published to.
        sift: Is given the files of folders, some thousands at a time while the walk goes on, and
            says which are to be kept. Files that are named are kept in any case.
    """
    result = Walk()
    skipped = {os.path.abspath(folder) for folder in skip}  # noqa: PTH100
    entered: set[str] = set()
    absolute = [os.path.abspath(path) for path in paths]  # noqa: PTH100 - names may not be UTF-8
    for path in absolute:
        try:
            status = os.stat(path)  # noqa: PTH116
        except OSError as error:
            result.problems.append(Problem(path, _reason(path, error)))
            continue
        if not stat_module.S_ISDIR(status.st_mode):
            _take_named(path, status, result)
        elif path not in entered:
            kept = len(result.found)
            for _ in _walk_folder(path, result, entered, skipped):
                if sift and len(result.found) - kept >= SIFTED_AT_ONCE:
                    result.found[kept:] = sift(result.found[kept:])
                    kept = len(result.found)
            if sift:
                result.found[kept:] = sift(result.found[kept:])
    if len(absolute) > 1:
        result.found = list({file.path: file for file in result.found}.values())
    return result


def _take_named(path: str, status: os.stat_result, result: Walk) -> None:
    kind = kind_of(path)
    if not stat_module.S_ISREG(status.st_mode):
        result.problems.append(Problem(path, f"{display(path)} is not a regular file"))
    elif kind is None:
        message = f"{display(path)} is not a media file that mediahost knows"
        result.problems.append(Problem(path, message))
    else:
        folder, name = os.path.split(path)
        result.found.append(FoundFile(path, folder, name, kind, FileStat.of(status)))


def _walk_folder(top: str, result: Walk, entered: set[str], skipped: set[str]) -> Iterator[str]:
    """Walk one tree, folder by folder. Without symbolic links none can be met twice in it."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        entered.add(folder)
        try:
            with os.scandir(folder) as entries:
                listing = sorted(entries, key=_NAME)
        except OSError as error:
            result.problems.append(Problem(folder, _reason(folder, error)))
            continue
        deeper = []
        for entry in listing:
            if entry.name.startswith("."):
                continue
            if entry.is_file(follow_symlinks=False):
                _take_listed(entry, folder, result)
            elif entry.is_dir(follow_symlinks=False):
                deeper.append(entry.path)
        waiting += [
            path for path in reversed(deeper) if path not in entered and path not in skipped
        ]
        yield folder


def _take_listed(entry: "os.DirEntry[str]", folder: str, result: Walk) -> None:
    kind = kind_of(entry.name)
    if kind is None:
        result.ignored += 1
        return
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        result.problems.append(Problem(entry.path, _reason(entry.path, error)))
        return
    result.found.append(FoundFile(entry.path, folder, entry.name, kind, FileStat.of(status)))


def _reason(path: str, error: OSError) -> str:
    return f"{display(path)}: {os.strerror(error.errno or 0)}"


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
            return Problem(file.path, _reason(file.path, error))

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
