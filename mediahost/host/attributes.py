"""Attributes: times, owner, mode and extended attributes of a file, carried over to another."""

import os
import stat as stat_module
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# What the kernel and its security modules keep for themselves.
_NOT_OURS = ("security.", "system.")


def carry_over(source: Path, target: Path) -> list[str]:
    """Give a file the attributes of another, as far as this process and the disk may.

    Args:
        source: Whose they are.
        target: A file of our own.

    Returns:
        What could not be kept: `owner`, `group`, `mode`, `extended attributes`, `times`.

    Raises:
        OSError: The source can't be looked at.
    """
    status = source.stat()
    return [*_owner(status, target), *_mode(status, target), *_extended(source, target),
            *_times(status, target)]  # fmt: skip


def carry_times(status: os.stat_result, target: Path) -> None:
    """Give a file the times of another; where the disk keeps none, nothing is lost."""
    with suppress(OSError):
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _owner(status: os.stat_result, target: Path) -> Iterator[str]:
    now = target.stat()
    for name, wanted, there, ids in (
        ("owner", status.st_uid, now.st_uid, (status.st_uid, -1)),
        ("group", status.st_gid, now.st_gid, (-1, status.st_gid)),
    ):
        if wanted != there:
            try:
                os.chown(target, *ids)
            except OSError:
                yield name


def _mode(status: os.stat_result, target: Path) -> Iterator[str]:
    mode = stat_module.S_IMODE(status.st_mode)
    try:
        target.chmod(mode)
    except OSError:
        yield "mode"


def _extended(source: Path, target: Path) -> Iterator[str]:
    if not hasattr(os, "listxattr"):
        return
    try:
        names = [name for name in os.listxattr(source) if not name.startswith(_NOT_OURS)]
    except OSError:  # a file system without them
        return
    try:
        for name in names:
            os.setxattr(target, name, os.getxattr(source, name))
    except OSError:
        yield "extended attributes"


def _times(status: os.stat_result, target: Path) -> Iterator[str]:
    try:
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    except OSError:
        yield "times"
