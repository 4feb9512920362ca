"""Moved files: contents that are no longer at the path where they were hashed.

A file that was renamed is known again by its content. It is looked for in the folders where media
files were hashed, below them, and in the folders beside them on the same file system.
"""

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from mediahost.cached import HashedFile
from mediahost.hashing import FileStat, algorithm_of, hash_file
from mediahost.model.paths import url_to_path


class Memo(NamedTuple):
    """What is remembered of one file: its path, and the hash that it had."""

    folder: str
    name: str
    hashed: HashedFile


def media_memos(memos: Iterable[tuple[str, str, HashedFile]], made_in: str) -> Iterator[Memo]:
    """What is remembered of media files, as paths.

    Args:
        memos: All that is remembered, as the store has it.
        made_in: The path prefix of artifacts: those are no media files of a person.
    """
    for folder_url, name_url, hashed in memos:
        folder = url_to_path(folder_url)
        if not f"{folder}{os.sep}".startswith(made_in):
            yield Memo(folder, url_to_path(name_url), hashed)


def find_moved(lost: Collection[str], memos: Iterable[Memo]) -> set[str]:
    """Those of these contents that are still among the files, or may be, under another name.

    Args:
        lost: Hashes of contents that are at none of the paths where they were hashed.
        memos: What is remembered of all media files. A content without a memo has no size to know
            it by, so it may still be there.
    """
    known: dict[str, dict[str, HashedFile]] = defaultdict(dict)
    by_size: dict[int, set[str]] = defaultdict(set)
    missing = set(lost)
    found = set(lost)
    for memo in memos:
        known[memo.folder][memo.name] = memo.hashed
        if memo.hashed.file_hash in missing:
            by_size[memo.hashed.stat.size].add(memo.hashed.file_hash)
            found.discard(memo.hashed.file_hash)
    for path, status in _files(_roots(known)):
        wanted = by_size.get(status.st_size, set()) - found
        if wanted:
            folder, name = os.path.split(path)
            remembered = known[folder].get(name) if folder in known else None
            found |= _contents(path, FileStat.of(status), remembered, wanted)
    return found


def _contents(path: str, stat: FileStat, known: HashedFile | None, wanted: set[str]) -> set[str]:
    """Those of the wanted contents that a file has, or may have because it can't be read."""
    if known and known.stat == stat and stat.trusted_since(known.hashed_at_ns):
        return {known.file_hash} & wanted
    try:
        return {hash_file(path, algorithm)[0] for algorithm in map(algorithm_of, wanted)} & wanted
    except OSError:
        return wanted


def _roots(folders: Iterable[str]) -> list[tuple[str, int]]:
    """The folders to search and the device of each, none below another one."""
    wanted: dict[str, int] = {}
    for folder in folders:
        parent = str(Path(folder).parent)
        # All of a machine is not beside a folder.
        for path in (folder, parent) if len(Path(parent).parts) > 1 else (folder,):
            if (device := _device(path)) is not None:
                wanted[path] = device
    for folder, device in list(wanted.items()):
        above = Path(folder).parents
        if any(wanted.get(str(path)) == device for path in above):
            del wanted[folder]
    return sorted(wanted.items())


def _device(folder: str) -> int | None:
    try:
        return Path(folder).stat().st_dev
    except OSError:
        return None


def _files(roots: Iterable[tuple[str, int]]) -> Iterator[tuple[str, os.stat_result]]:
    """All regular files in and below these folders, each on the folder's device."""
    for root, device in roots:
        waiting = [root]
        while waiting:
            try:
                entries = list(os.scandir(waiting.pop()))
            except OSError:
                continue
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                if status.st_dev != device:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield entry.path, status
