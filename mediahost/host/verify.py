"""Verifying: are files still what they were when they were hashed? Everything is read again."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from mediahost.hashing import ChangedWhileHashing, FileStat, algorithm_of, hash_file
from mediahost.host.artifacts import ARTIFACTS
from mediahost.model.paths import url_to_path
from mediahost.ports import CaredStore

# So many files are handed to the threads at a time.
BATCH = 256


class Verdict(StrEnum):
    """What became of a file.

    A rotten file has other bytes under the size and the time of change that it had: nobody wrote
    to it, so the disk or its cable did.
    """

    OK = "ok"
    CHANGED = "changed"
    MISSING = "missing"
    ROTTEN = "rotten"
    UNREADABLE = "unreadable"


class Known(NamedTuple):
    """A file as it was.

    Attributes:
        path: Where.
        file_hash: Its hash then.
        stat: Its stat then; None: unknown, and it should not have changed at all.
        artifact: Whether mediahost made it.
    """

    path: str
    file_hash: str
    stat: FileStat | None
    artifact: bool


class Verified(NamedTuple):
    """A file, and what became of it."""

    known: Known
    verdict: Verdict
    reason: str = ""


def known_files(
    store: CaredStore, data_dir: Path, paths: Sequence[str | os.PathLike[str]] = ()
) -> list[Known]:
    """The files whose hashes the store knows: media files, and artifacts of cached results.

    Args:
        store: The store.
        data_dir: The folder of the artifacts.
        paths: Only these, and those below them; none: all.
    """
    made_in = str(data_dir / ARTIFACTS) + os.sep
    within = _Within(paths)
    stats: dict[str, tuple[str, FileStat]] = {}
    files: dict[str, Known] = {}
    for folder, name, memo in store.memos():
        path = os.path.join(url_to_path(folder), url_to_path(name))  # noqa: PTH118 - bad UTF-8
        if path.startswith(made_in):
            stats[path] = memo.file_hash, memo.stat
        elif path in within:
            files[path] = Known(path, memo.file_hash, memo.stat, artifact=False)
    for file in (file for result in store.kept_results() for file in result.files):
        if file.path in within:
            hashed, stat = stats.get(file.path, ("", None))
            vouched = stat if hashed == file.file_hash else None
            files[file.path] = Known(file.path, file.file_hash, vouched, artifact=True)
    return sorted(files.values())


def unknown_among(
    paths: Iterable[str | os.PathLike[str]], files: Collection[Known]
) -> list[str | os.PathLike[str]]:
    """Those of these paths at which, and below which, none of these files is."""
    withins = ((path, _Within([path])) for path in paths)
    return [path for path, within in withins if not any(file.path in within for file in files)]


def verify(
    files: Iterable[Known],
    threads: int,
    on_verified: Callable[[int], None] = lambda _done: None,
) -> Iterator[Verified]:
    """Read files and say what became of each, in their order.

    Args:
        files: The files as they were.
        threads: How many to read at a time.
        on_verified: Learns how many are done.
    """
    pending, done = iter(files), 0
    with ThreadPoolExecutor(threads, "verify") as pool:
        while batch := list(islice(pending, BATCH)):
            for verified in pool.map(_verify, batch):
                done += 1
                on_verified(done)
                yield verified


def _verify(known: Known) -> Verified:
    try:
        _drop_cached(known.path)
        hashed, stat = hash_file(known.path, algorithm_of(known.file_hash))
    except FileNotFoundError:
        return Verified(known, Verdict.MISSING)
    except ChangedWhileHashing:
        return Verified(known, Verdict.CHANGED, "it is being written")
    except OSError as error:
        return Verified(known, Verdict.UNREADABLE, os.strerror(error.errno or 0))
    except ValueError as error:
        # Programs save what they made under any hash.
        return Verified(known, Verdict.UNREADABLE, str(error))
    if hashed == known.file_hash:
        return Verified(known, Verdict.OK)
    untouched = known.stat and (stat.size, stat.mtime_ns) == (known.stat.size, known.stat.mtime_ns)
    return Verified(known, Verdict.ROTTEN if untouched else Verdict.CHANGED)


def _drop_cached(path: str) -> None:
    """Have the file read from the disk: what memory holds of it says nothing about the disk."""
    if not hasattr(os, "posix_fadvise"):
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


class _Within:
    """Whether a path is one of these, or below one of them."""

    def __init__(self, paths: Sequence[str | os.PathLike[str]]) -> None:
        self._tops = [os.path.abspath(path) for path in paths]  # noqa: PTH100 - bad UTF-8

    def __contains__(self, path: str) -> bool:
        below = (path == top or path.startswith(top.rstrip(os.sep) + os.sep) for top in self._tops)
        return not self._tops or any(below)
