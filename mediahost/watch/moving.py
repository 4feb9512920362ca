"""Moves: a person's file gets another place, on this drive or another, and is never lost."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from mediahost.hashing import FileStat
from mediahost.host.naming import names_for
from mediahost.host.publish import CopyDamaged, copy_to
from mediahost.partfile import rename_new, sync_folder
from mediahost.watch.original import Kept, check_same, set_aside


def move(
    source: Path, stat: FileStat, wanted: Path, source_hash: str, *, numbered: bool = True
) -> Path:
    """Move a file; nothing is overwritten.

    Args:
        source: The file.
        stat: What it should be like.
        wanted: Where to.
        source_hash: Its hash.
        numbered: It gets the next free number where another file has the name.

    Returns:
        Where it is.

    Raises:
        Kept: It has changed, or could not be copied whole to another drive.
        FileExistsError: Another file has the name, and it may have no number.
        OSError: It can't be moved.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    if not numbered and os.path.lexists(wanted):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(wanted))
    if source.stat().st_dev != wanted.parent.stat().st_dev:
        return _move_to_other_drive(source, stat, wanted, source_hash)
    for target in names_for(wanted) if numbered else (wanted,):
        if os.path.lexists(target):
            continue
        try:
            with set_aside(source, stat) as aside:
                rename_new(aside, target)
        except FileExistsError:
            continue
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # One drive that is mounted twice. The file has been taken from its name and put back.
            check_same(source, stat)
            here = FileStat.of(source.lstat())
            return _move_to_other_drive(source, here, wanted, source_hash)
        with suppress(OSError):
            sync_folder(target.parent)
        return target
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(wanted))


def _move_to_other_drive(source: Path, stat: FileStat, wanted: Path, source_hash: str) -> Path:
    try:
        copy = copy_to(source, wanted, source_hash, attributes_of=source)
    except CopyDamaged as error:
        raise Kept(f"it was kept: {error.message}") from None
    # Only now, when nothing is left that takes time.
    with set_aside(source, stat) as aside:
        aside.unlink()
    return copy
