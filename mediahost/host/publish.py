"""Publishing: copies of artifacts where a person wants to find them."""

import errno
import os
import shutil
import stat as stat_module
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mediahost.errors import MediahostError
from mediahost.hashing import BUFFER_BYTES, hash_bytes, hash_file, verify_file
from mediahost.host.attributes import carry_over, carry_times
from mediahost.host.crash import crash_point
from mediahost.host.found import Problem
from mediahost.host.inputs import sort_out
from mediahost.host.naming import (
    OutputRefused,
    name_of_part,
    names_for,
    published_names,
    target_for,
    top_of,
)
from mediahost.host.recorded import ASKED, recorded_at
from mediahost.host.run import RunRow
from mediahost.model.kinds import kind_of
from mediahost.model.paths import display, is_remote, url_to_path
from mediahost.model.watch import OutputTimes
from mediahost.partfile import PartFile
from mediahost.ports import StoredResult


class CopyDamaged(MediahostError):
    """What was copied is not what should have been."""


def _no_results(_file_hash: str) -> Iterable[StoredResult]:
    return ()


class Publisher:
    """Copies artifacts into a folder laid out as the folders that were run, or by a template.

    No file that is there is ever overwritten: a copy whose name is taken by other content gets
    the next free number. Doing it again copies nothing.

    Args:
        output: A folder, or a template such as `~/Out/{folder}/{stem}`.
        paths: What was run.
        output_times: The change time of copies: that of their source, or now.
        results_of: Gives what is stored of the content with a hash, the newest first.
    """

    def __init__(
        self,
        output: str | os.PathLike[str],
        paths: Sequence[str | os.PathLike[str]],
        output_times: OutputTimes = "source",
        results_of: Callable[[str], Iterable[StoredResult]] = _no_results,
    ) -> None:
        self._results_of = results_of
        self._hashes: dict[str, str] = {}
        self._output = os.fspath(output)
        self._has_source_times = output_times == "source"
        absolute = [Path(path).absolute() for path in sort_out(paths)[0]]
        self._tops = [path if path.is_dir() else path.parent for path in absolute]

    def publish(self, rows: Sequence[RunRow], problems: list[Problem]) -> list[RunRow]:
        """The rows, with their artifacts where the copies are.

        A copy that can't be written is added to `problems`; the artifact itself is safe.
        """
        of_root: dict[str, list[RunRow]] = {}
        for row in rows:
            of_root.setdefault(row.root_url, []).append(row)
            if row.key and row.media_url == row.root_url:
                self._hashes[row.root_url] = row.key.file_hash
        names = {url: iter(_names_of(url, its)) for url, its in of_root.items()}
        return [
            self._published(row, list(islice(names[row.root_url], len(row.artifacts))), problems)
            for row in rows
        ]

    def _published(self, row: RunRow, names: Sequence[str], problems: list[Problem]) -> RunRow:
        hashes = row.artifact_hashes or [hash_file(path)[0] for path in row.artifacts]
        made = zip(names, row.artifacts, hashes, strict=True)
        copies = tuple(self._copy(row, *one, problems) for one in made)
        return replace(row, artifacts=copies)

    def _copy(
        self, row: RunRow, name: str, path: str, file_hash: str, problems: list[Problem]
    ) -> str:
        """Where the copy is; where the artifact is if there can be none."""
        target = top_of(self._output) / name
        try:
            target = target_for(self._output, self._fields(row, name))
            times_of = _path_of(row.root_url) if self._has_source_times else None
            return str(copy_to(Path(path), target, file_hash, times_of=times_of))
        except (OSError, CopyDamaged, OutputRefused) as error:
            message = f"{display(target)} can't be written: {_reason_of(error)}"
            problems.append(Problem(str(target), message))
            return path

    def _fields(self, row: RunRow, name: str) -> dict[str, str]:
        root = _path_of(row.root_url)
        folder = self._below(root)
        changed = time.localtime(root.stat().st_mtime if _is_here(root) else None)
        return {
            "action": row.action,
            **dated(changed),
            **recorded(
                self._output,
                lambda: self._results_of(self._hashes.get(row.root_url, "")),
                changed,
            ),
            "folder": "" if folder == Path() else folder.as_posix(),
            "hash": (row.key.file_hash if row.key else "").partition(":")[2][:8],
            "kind": str(kind_of(root) or ""),
            "name": name,
            "stem": root.stem,
            "step": row.step,
            "suffix": Path(name).suffix,
            "watch": "",
        }

    def _below(self, root: Path) -> Path:
        for top in self._tops:
            if root.is_relative_to(top):
                return root.relative_to(top).parent
        return Path()


def _names_of(root_url: str, rows: Sequence[RunRow]) -> list[str]:
    """The names of all that was made of a file, in the order of the rows."""
    stored = [(row.step, _stored_name(row, path)) for row in rows for path in row.artifacts]
    return published_names(_path_of(root_url).stem, stored)


def _stored_name(row: RunRow, path: str) -> str:
    name = os.path.basename(path)  # noqa: PTH119 - text in, text out
    if row.media_url == row.root_url:
        return name
    return name_of_part(_path_of(row.media_url).stem, name)


def recorded(
    template: str, results: Callable[[], Iterable[StoredResult]], changed: time.struct_time
) -> dict[str, str]:
    """The fields of a template that the moment of the recording fills, if it has one of them.

    Args:
        template: It.
        results: Gives what is stored of the file's content; asked only if need be.
        changed: The file's last change, for where no result tells.
    """
    if ASKED not in template:
        return {}
    fields = dated(recorded_at(results()) or changed)
    date = fields.pop("date")
    return {"recorded": date, **{f"recorded_{name}": value for name, value in fields.items()}}


def dated(moment: time.struct_time) -> dict[str, str]:
    """The fields of a template that a date fills."""
    return {
        "date": time.strftime("%Y-%m-%d", moment),
        "day": time.strftime("%d", moment),
        "month": time.strftime("%m", moment),
        "year": time.strftime("%Y", moment),
    }


def _reason_of(error: OSError | MediahostError) -> str:
    return error.message if isinstance(error, MediahostError) else os.strerror(error.errno or 0)


def _path_of(media_url: str) -> Path:
    """The path, or of a URL the name at its end."""
    if is_remote(media_url):
        return Path(unquote(Path(urlsplit(media_url).path).name))
    return Path(url_to_path(media_url))


def copy_to(
    source: Path,
    wanted: Path,
    file_hash: str,
    *,
    times_of: Path | None = None,
    attributes_of: Path | None = None,
) -> Path:
    """Copy whole or not at all; find the copy that an earlier call made.

    Args:
        source: What to copy.
        wanted: Where to.
        file_hash: What the source should have; the copy is read again and compared.
        times_of: The copy gets the times of this file, if it is there.
        attributes_of: The copy gets times, owner, mode and extended attributes of this file,
            where it may.

    Returns:
        Where the copy is, on the disk: `wanted`, or the next free number if other content has that
        name.

    Raises:
        CopyDamaged: The source has other bytes, or the disk gave others back.
        OSError: It can't be written.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    size = source.stat().st_size
    for target in names_for(wanted):
        if is_copy(target, size, file_hash):
            return target
        if os.path.lexists(target):
            continue
        # Another writer may take the name meanwhile; then the next free one is filled.
        with PartFile(target) as part, suppress(FileExistsError):
            fill(part, source, file_hash)
            _dress(part.path, times_of, attributes_of)
            crash_point("publishing")
            kept = part.keep_new()
            crash_point("published")
            return kept
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(wanted))


def write_to(
    data: bytes,
    wanted: Path,
    is_ours: Callable[[Path], bool],
    *,
    times_of: Path | None = None,
) -> Path:
    """Write a file whole or not at all; replace what was written of the same before.

    Args:
        data: All of it.
        wanted: Where to.
        is_ours: Whether a file that is there may be replaced.
        times_of: It gets the times of this file.

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
            part.sync()
            _dress(part.path, times_of, None)
            return part.replace() if is_taken else part.keep_new()
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(wanted))


def _is_here(path: Path) -> bool:
    """Whether it is a file; of a URL there is but a name."""
    return path.is_absolute() and path.is_file()


def _dress(copy: Path, times_of: Path | None, attributes_of: Path | None) -> None:
    if attributes_of:
        carry_over(attributes_of, copy)
    elif times_of and _is_here(times_of):
        carry_times(times_of.stat(), copy)


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
