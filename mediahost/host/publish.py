"""Publishing: copies of artifacts where a person wants to find them."""

import errno
import os
import shutil
import stat as stat_module
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mediahost.errors import MediahostError
from mediahost.hashing import BUFFER_BYTES, hash_bytes, verify_file
from mediahost.host.crash import crash_point
from mediahost.host.found import Problem
from mediahost.host.inputs import sort_out
from mediahost.host.run import RunRow
from mediahost.model.paths import display, is_remote, url_to_path
from mediahost.partfile import PartFile


class CopyDamaged(MediahostError):
    """What was copied is not what should have been."""


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
        for path, file_hash in zip(row.artifacts, row.artifact_hashes, strict=True):
            name = os.path.basename(path)  # noqa: PTH119 - text in, text out
            for maker in (media, root):
                name = name if name.startswith(maker.stem) else f"{maker.stem}.{name}"
            try:
                copies.append(str(copy_to(Path(path), folder / name, file_hash)))
            except (OSError, CopyDamaged) as error:
                reason = reason_of(error)
                message = f"{display(folder / name)} can't be written: {reason}"
                problems.append(Problem(str(folder / name), message))
                copies.append(path)
        return replace(row, artifacts=tuple(copies))

    def _below(self, root: Path) -> Path:
        for top in self._tops:
            if root.is_relative_to(top):
                return root.relative_to(top).parent
        return Path()


def reason_of(error: OSError | CopyDamaged) -> str:
    """Why something could not be written."""
    return error.message if isinstance(error, CopyDamaged) else os.strerror(error.errno or 0)


def _path_of(media_url: str) -> Path:
    """The path, or of a URL the name at its end."""
    if is_remote(media_url):
        return Path(unquote(Path(urlsplit(media_url).path).name))
    return Path(url_to_path(media_url))


def copy_to(source: Path, wanted: Path, file_hash: str) -> Path:
    """Copy whole or not at all; find the copy that an earlier call made.

    Args:
        source: What to copy.
        wanted: Where to.
        file_hash: What the source should have; the copy is read again and compared.

    Returns:
        Where the copy is, on the disk: `wanted`, or the next free number if other content has that
        name.

    Raises:
        CopyDamaged: The source has other bytes, or the disk gave others back.
        OSError: It can't be written.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    size = source.stat().st_size
    with PartFile(wanted) as part:
        copied = False
        for target in names_for(wanted):
            if is_copy(target, size, file_hash):
                return target
            if os.path.lexists(target):
                continue
            if not copied:
                fill(part, source, file_hash)
                crash_point("publishing")
                copied = True
            with suppress(FileExistsError):
                kept = part.keep_new(target)
                crash_point("published")
                return kept
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(wanted))


def write_to(data: bytes, wanted: Path, is_ours: Callable[[Path], bool]) -> Path:
    """Write a file whole or not at all; replace what was written of the same before.

    Args:
        data: All of it.
        wanted: Where to.
        is_ours: Whether a file that is there may be replaced.

    Returns:
        Where it is, on the disk: `wanted`, or the next free number if another file has that name.

    Raises:
        OSError: It can't be written.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    file_hash = hash_bytes(data)
    for target in names_for(wanted):
        if is_copy(target, len(data), file_hash):
            return target
        is_taken = os.path.lexists(target)
        if is_taken and not is_ours(target):
            continue
        with PartFile(target) as part, suppress(FileExistsError):
            part.file.write(data)
            return part.replace() if is_taken else part.keep_new()
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(wanted))


def fill(part: PartFile, source: Path, file_hash: str) -> None:
    """Copy a file into a part, and read that again from the disk.

    Raises:
        CopyDamaged: The source has other bytes, or the disk gave others back.
        OSError: It can't be written or read.
    """
    with source.open("rb") as file:
        shutil.copyfileobj(file, part.file, BUFFER_BYTES)
    part.sync()
    if hasattr(os, "posix_fadvise"):
        # Out of memory, so that it is the disk that is asked.
        os.posix_fadvise(part.file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if not verify_file(part.path, file_hash):
        raise CopyDamaged(f"{display(source.name)} could not be copied whole")


def is_copy(path: Path, size: int, file_hash: str) -> bool:
    """Whether a file has these bytes, safe on the disk.

    Raises:
        OSError: It is there but can't be read.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    if not stat_module.S_ISREG(status.st_mode) or status.st_size != size:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except PermissionError:  # somebody else's
        return False
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return verify_file(path, file_hash)


def names_for(wanted: Path) -> Iterator[Path]:
    """The path, then the same with numbers: `talk.mp3`, `talk.2.mp3`..."""
    yield wanted
    for number in count(2):
        yield wanted.with_stem(f"{wanted.stem}.{number}")
