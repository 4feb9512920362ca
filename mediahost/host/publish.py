"""Publishing: copies of artifacts where a person wants to find them."""

import errno
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import count
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mediahost.hashing import hash_file, verify_file
from mediahost.host.crash import crash_point
from mediahost.host.found import Problem
from mediahost.host.identity import is_running
from mediahost.host.inputs import sort_out
from mediahost.host.run import RunRow
from mediahost.model.paths import display, is_remote, url_to_path

# What file systems without hard links answer: FAT, many network drives.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class Publisher:
    """Copies artifacts into a folder laid out as the folders that were run.

    No file that is there is ever overwritten: a copy whose name is taken by other content gets
    the next free number. Doing it again copies nothing.
    """

    def __init__(self, output: Path, paths: Sequence[str | os.PathLike[str]]) -> None:
        self._output = output.absolute()
        absolute = [Path(path).absolute() for path in sort_out(paths)[0]]
        self._tops = [path if path.is_dir() else path.parent for path in absolute]

    def publish(self, rows: Sequence[RunRow], problems: list[Problem]) -> list[RunRow]:
        """The rows, with their artifacts where the copies are.

        A copy that can't be written is added to `problems`; the artifact itself is safe.
        """
        return [self._published(row, problems) if row.artifacts else row for row in rows]

    def _published(self, row: RunRow, problems: list[Problem]) -> RunRow:
        root = _path_of(row.root_url)
        media = _path_of(row.media_url)
        folder = self._output / self._below(root)
        copies = []
        for path in row.artifacts:
            name = os.path.basename(path)  # noqa: PTH119 - text in, text out
            for maker in (media, root):
                name = name if name.startswith(maker.stem) else f"{maker.stem}.{name}"
            try:
                copies.append(str(copy_to(Path(path), folder / name)))
            except OSError as error:
                reason = os.strerror(error.errno or 0)
                message = f"{display(folder / name)} can't be written: {reason}"
                problems.append(Problem(str(folder / name), message))
                copies.append(path)
        return replace(row, artifacts=tuple(copies))

    def _below(self, root: Path) -> Path:
        for top in self._tops:
            if root.is_relative_to(top):
                return root.relative_to(top).parent
        return Path()


def _path_of(media_url: str) -> Path:
    """The path, or of a URL the name at its end."""
    if is_remote(media_url):
        return Path(unquote(Path(urlsplit(media_url).path).name))
    return Path(url_to_path(media_url))


# The half-written copy is named after the process, so its threads copy one after the other.
_COPYING = threading.Lock()


@lru_cache(maxsize=1024)
def _sweep(folder: Path) -> None:
    """Remove what a call that was killed has left half-written there; once for each folder."""
    for part in folder.glob(".*.part"):
        number = part.name[1 : -len(".part")]
        if number.isdecimal() and not is_running(int(number)):
            part.unlink(missing_ok=True)


def copy_to(artifact: Path, wanted: Path) -> Path:
    """Copy whole or not at all; find the copy that an earlier call made.

    Returns:
        Where the copy is: `wanted`, or the next free number if other content has that name.

    Raises:
        OSError: It can't be written.
    """
    with _COPYING:
        return _copy(artifact, wanted)


def _copy(artifact: Path, wanted: Path) -> Path:
    wanted.parent.mkdir(parents=True, exist_ok=True)
    _sweep(wanted.parent)
    file_hash, _ = hash_file(artifact)
    part = wanted.with_name(f".{os.getpid()}.part")
    for target in names_for(wanted):
        if target.is_file() and verify_file(target, file_hash):
            return target
        if os.path.lexists(target):
            continue
        try:
            shutil.copyfile(artifact, part)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            crash_point("publishing")
            move_to_free(part, target)
            crash_point("published")
        except FileExistsError:
            continue
        finally:
            part.unlink(missing_ok=True)
        return target
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(wanted))


def move_to_free(part: Path, target: Path) -> None:
    """Give the file its name, unless somebody took it meanwhile.

    Raises:
        FileExistsError: The name is taken.
    """
    try:
        os.link(part, target)  # unlike a rename, this fails if the name is taken
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC))
        part.replace(target)


def names_for(wanted: Path) -> Iterator[Path]:
    """The path, then the same with numbers: `talk.mp3`, `talk.2.mp3`..."""
    yield wanted
    for number in count(2):
        yield wanted.with_stem(f"{wanted.stem}.{number}")
