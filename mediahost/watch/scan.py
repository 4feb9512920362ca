"""Scans: one pass over a tree of folders, `scandir` and `lstat`, and nothing else."""

import os
import stat as stat_module
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mediahost.hashing import FileStat
from mediahost.host.found import FoundFile
from mediahost.watch.wanted import IGNORE_FILE, NO_MEDIA, Wanted

MOST_PROBLEMS = 20


@dataclass
class Listing:
    """The wanted files right in one folder; `folder` is relative to the watched one."""

    folder: str
    files: list[FoundFile]


@dataclass
class Scan:
    """A pass over a watched folder, or over a folder in it.

    Args:
        top: The watched folder.
        wanted: What is looked for.
        on_folder: Called with the path of each folder before it is listed, so that what comes
            later gives an event and what came before is in the list.
        follow_links: Follow symbolic links.

    Attributes:
        unread: Folders that could not be listed, relative; what is below them is not known.
        problems: Why, for a person; the first few.
        folders: How many folders were listed.
        files: How many wanted files there were.
    """

    top: str
    wanted: Wanted
    on_folder: Callable[[str], None]
    follow_links: bool = False
    unread: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    folders: int = 0
    files: int = 0

    def __post_init__(self) -> None:
        self._entered: set[tuple[int, int]] = set()

    def listings(self, start: str = "", *, below: bool = True) -> Iterator[Listing]:
        """The folders from `start` on, each before those in it."""
        waiting = [start]
        while waiting:
            folder = waiting.pop()
            absolute = f"{self.top}/{folder}" if folder else self.top
            self.on_folder(absolute)
            try:
                with os.scandir(absolute) as entries:
                    listing = list(entries)
            except FileNotFoundError:
                if not folder:
                    self._can_not_read(folder, "it is gone")
                continue
            except NotADirectoryError:
                continue
            except OSError as error:
                self._can_not_read(folder, os.strerror(error.errno or 0))
                continue
            self.folders += 1
            found, deeper = self._sorted_out(folder, absolute, listing)
            self.files += len(found)
            if below:
                waiting += deeper
            yield Listing(folder, found)

    def _sorted_out(
        self, folder: str, absolute: str, entries: "list[os.DirEntry[str]]"
    ) -> tuple[list[FoundFile], list[str]]:
        has_ignores = any(entry.name in (IGNORE_FILE, NO_MEDIA) for entry in entries)
        self.wanted.learn_ignores(folder, absolute, there=has_ignores)
        found: list[FoundFile] = []
        deeper: list[str] = []
        for entry in entries:
            name = entry.name
            try:
                if entry.is_file(follow_symlinks=self.follow_links):
                    kind = self.wanted.kind(folder, name)
                    if kind is not None:
                        status = FileStat.of(entry.stat(follow_symlinks=self.follow_links))
                        found.append(FoundFile(entry.path, folder, name, kind, status))
                elif entry.is_dir(follow_symlinks=self.follow_links) and self._enters(
                    folder, entry
                ):
                    deeper.append(f"{folder}/{name}" if folder else name)
            except FileNotFoundError:
                continue
            except OSError as error:
                self._can_not_read(f"{folder}/{name}".lstrip("/"), os.strerror(error.errno or 0))
        return found, deeper

    def _enters(self, folder: str, entry: "os.DirEntry[str]") -> bool:
        if not self.wanted.enters(folder, entry.name):
            return False
        if not self.follow_links:
            return True
        # A link may lead to a folder above: each is entered once.
        status = entry.stat()
        identity = (status.st_dev, status.st_ino)
        if identity in self._entered:
            return False
        self._entered.add(identity)
        return True

    def _can_not_read(self, folder: str, reason: str) -> None:
        self.unread.add(folder)
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(f"{folder or self.top}: {reason}")


def found_at(top: str, folder: str, name: str, wanted: Wanted, *, follow: bool) -> FoundFile | None:
    """The file at one place as it is now, or None if there is no wanted regular file.

    Raises:
        FileNotFoundError: There is nothing.
        OSError: It can't be looked at.
    """
    path = f"{top}/{folder}/{name}" if folder else f"{top}/{name}"
    kind = wanted.kind(folder, name)
    if kind is None:
        return None
    status = os.stat(path, follow_symlinks=follow)  # noqa: PTH116 - the hot path
    if not stat_module.S_ISREG(status.st_mode):
        return None
    return FoundFile(path, folder, name, kind, FileStat.of(status))
