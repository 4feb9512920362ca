"""Originals: a person's file, taken away only while it is the very file that was processed."""

import os
import secrets
import stat as stat_module
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mediahost.errors import MediahostError
from mediahost.hashing import FileStat
from mediahost.host.writers import Writers, writers_of
from mediahost.partfile import aside_of, rename_new, sync_folder

CHANGED = "it was kept: it has changed meanwhile"


class Kept(MediahostError):
    """The file was left where it is, against the rule, for a good reason."""


def check_unchanged(source: Path, stat: FileStat) -> None:
    """See that a file is what was processed, and that nobody is writing it.

    Raises:
        Kept: It isn't.
    """
    if source.is_symlink():
        raise Kept("it was kept: it is a symbolic link")
    try:
        now = _stat_of(source)
    except FileNotFoundError:
        raise Kept(CHANGED) from None
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise Kept(f"it was kept: it can't be looked at: {reason}") from None
    if now != stat or _is_written(source):
        raise Kept(CHANGED)


def _stat_of(source: Path) -> FileStat:
    try:
        # Opened, for a network drive may answer `lstat` from memory.
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:  # it may be moved, though not read
        return FileStat.of(source.lstat())
    try:
        return FileStat.of(os.fstat(descriptor))
    finally:
        os.close(descriptor)


def _is_written(source: Path) -> bool:
    try:
        return writers_of(str(source)) is Writers.SOME
    except OSError:
        return False


@contextmanager
def set_aside(source: Path, stat: FileStat) -> Iterator[Path]:
    """Take a file from its place, to do away with it in the body.

    A program that saves a new version at this moment, by rename or in place, loses nothing: the
    file is looked at once more when it has left its name. If the body fails it comes back.

    Yields:
        Where it is meanwhile: beside its place.

    Raises:
        Kept: It is not the file that was processed; it is where it was.
        OSError: It can't be renamed.
    """
    check_unchanged(source, stat)
    aside = aside_of(source)
    # In one step: of a link and a removal the second might meet a newer version.
    source.rename(aside)
    try:
        check_same(aside, stat)
        yield aside
    except BaseException:
        put_back(aside, source)
        raise
    with suppress(OSError):
        sync_folder(source.parent)


def check_same(aside: Path, stat: FileStat) -> None:
    """See that a file that was renamed just now is what was processed.

    Raises:
        Kept: It isn't.
    """
    status = aside.lstat()
    now = FileStat.of(status)
    # A rename changes the time of the inode itself.
    same = now._replace(ctime_ns=0) == stat._replace(ctime_ns=0)
    is_file = stat_module.S_ISREG(status.st_mode)
    if not (same and is_file) or _is_written(aside):
        raise Kept(CHANGED)


def put_back(aside: Path, source: Path) -> None:
    """Give a file its name again; beside it if somebody has taken that meanwhile."""
    if not os.path.lexists(aside):
        return
    try:
        rename_new(aside, source)
    except FileExistsError:
        rename_new(aside, source.with_stem(f"{source.stem}.{secrets.token_hex(4)}"))
