"""The walk: which media files there are, folder by folder."""

import marshal
import os
import stat as stat_module
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from mediahost.hashing import FileStat, StatParts, hash_bytes, stat_parts
from mediahost.host.found import FoundFile, Problem, reason_of
from mediahost.model.kinds import KIND_OF_SUFFIX, MediaKind, kind_of
from mediahost.model.paths import display

# Files are sifted so many at a time: what is known of them is asked for at once.
SIFTED_AT_ONCE = 4_096

_NAME = attrgetter("name")


class Listing(NamedTuple):
    """The media files right in a folder, in the order of their names.

    Three lists of plain values instead of an object for each file: of most files there is nothing
    to be done but to compare them, and there may be a million.

    Attributes:
        folder: The folder's path.
        names: Their names.
        kinds: Their kinds.
        stats: What tells whether they were touched.
    """

    folder: str
    names: list[str]
    kinds: list[MediaKind]
    stats: list[StatParts]

    def hash(self) -> str:
        """One name for all that it says of the files."""
        # Version 2 of the format, the last that spells equal values alike whoever holds them.
        return hash_bytes(marshal.dumps((self.names, self.stats), 2))

    def files(self) -> Iterator[FoundFile]:
        """Each of them as an object."""
        return map(self.file, range(len(self.names)))

    def file(self, index: int) -> FoundFile:
        """One of them as an object."""
        name = self.names[index]
        path = os.path.join(self.folder, name)  # noqa: PTH118 - names may not be UTF-8
        stat = FileStat.of_parts(self.stats[index])
        return FoundFile(path, self.folder, name, self.kinds[index], stat)


Sift = Callable[[Sequence[Listing]], Sequence[FoundFile]]


class Walk:
    """What a walk over files and folders found.

    Attributes:
        found: The media files, in the order of their paths below each path asked for.
        problems: Paths that can't be read or are no media file though named.
        ignored: How many files in the folders are no media files.
    """

    def __init__(self) -> None:
        self.found: list[FoundFile] = []
        self.problems: list[Problem] = []
        self.ignored = 0


def _all_of(listings: Sequence[Listing]) -> list[FoundFile]:
    return [file for listing in listings for file in listing.files()]


def walk(
    paths: Iterable[str | os.PathLike[str]],
    skip: Iterable[str | os.PathLike[str]] = (),
    sift: Sift = _all_of,
) -> Walk:
    """The media files at these paths, and in and below those that are folders.

    Hidden files and folders (dotfiles) are passed over, symbolic links in folders are not followed.

    Args:
        paths: Files and folders.
        skip: Folders that are not entered, such as the one that artifacts are published to.
        sift: Is given folders, with some thousand files at a time while the walk goes on, and says
            which files are to be kept; all, unless told otherwise. Files that are named are kept
            in any case.
    """
    result = Walk()
    skipped = {os.path.abspath(folder) for folder in skip}  # noqa: PTH100
    entered: set[str] = set()
    absolute = [os.path.abspath(path) for path in paths]  # noqa: PTH100 - names may not be UTF-8
    for path in absolute:
        try:
            status = os.stat(path)  # noqa: PTH116
        except OSError as error:
            result.problems.append(Problem(path, reason_of(path, error)))
            continue
        if not stat_module.S_ISDIR(status.st_mode):
            _take_named(path, status, result)
        elif path not in entered:
            for listings in _by_the_thousand(_walk_folder(path, result, entered, skipped)):
                result.found += sift(listings)
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


def _by_the_thousand(listings: Iterable[Listing]) -> Iterator[list[Listing]]:
    gathered: list[Listing] = []
    files = 0
    for listing in listings:
        gathered.append(listing)
        files += len(listing.names)
        if files >= SIFTED_AT_ONCE:
            yield gathered
            gathered, files = [], 0
    if gathered:
        yield gathered


def _walk_folder(top: str, result: Walk, entered: set[str], skipped: set[str]) -> Iterator[Listing]:
    """Walk one tree, folder by folder. Without symbolic links none can be met twice in it."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        entered.add(folder)
        try:
            listing, deeper = _list(folder, result)
        except OSError as error:
            result.problems.append(Problem(folder, reason_of(folder, error)))
            continue
        below = [os.path.join(folder, name) for name in reversed(deeper)]  # noqa: PTH118
        waiting += [path for path in below if path not in entered and path not in skipped]
        if listing.names:
            yield listing


def _list(folder: str, result: Walk) -> tuple[Listing, list[str]]:
    """The media files in a folder, and the names of the folders in it.

    Raises:
        OSError: It can't be read.
    """
    listing, deeper = Listing(folder, [], [], []), []
    # By its descriptor: the kernel looks for each file in the open folder, instead of following
    # the whole path again (a fifth of a walk).
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with os.scandir(descriptor) as entries:
            for entry in sorted(entries, key=_NAME):
                if entry.name.startswith("."):
                    continue
                if entry.is_file(follow_symlinks=False):
                    _take_listed(entry, listing, result)
                elif entry.is_dir(follow_symlinks=False):
                    deeper.append(entry.name)
    finally:
        os.close(descriptor)
    return listing, deeper


def _take_listed(entry: "os.DirEntry[str]", listing: Listing, result: Walk) -> None:
    name = entry.name
    # Nearly all suffixes are known and in lower case.
    kind = KIND_OF_SUFFIX.get(name[name.rfind(".") :]) or kind_of(name)
    if kind is None:
        result.ignored += 1
        return
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        path = os.path.join(listing.folder, name)  # noqa: PTH118
        result.problems.append(Problem(path, reason_of(path, error)))
        return
    listing.names.append(name)
    listing.kinds.append(kind)
    listing.stats.append(stat_parts(status))
