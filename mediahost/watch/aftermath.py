"""Aftermath: what becomes of a person's file once it succeeded or failed.

Nothing is removed before what takes its place is on the disk and has been read again.
"""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from mediahost.errors import MediahostError
from mediahost.hashing import FileStat, verify_file
from mediahost.host.publish import copy_to, move_to_free, names_for
from mediahost.model.paths import display
from mediahost.model.watch import Watch
from mediahost.watch.outputs import Written, is_there


class Kept(MediahostError):
    """The file was left where it is, against the rule, for a good reason."""


def after_success(
    rule: Watch,
    source: Path,
    stat: FileStat,
    *,
    source_hash: str,
    written: Sequence[Written],
    artifacts: Sequence[tuple[str, str]],
    missing: str,
) -> str | None:
    """Do what `on_success` says.

    Args:
        rule: The watch.
        source: The file.
        stat: What it was like when it was processed.
        source_hash: Its hash.
        written: Where its outputs are.
        artifacts: Path and hash of each of its final artifacts.
        missing: What its results lack; empty: they are complete.

    Returns:
        What became of the file if it is no longer there, for a person.

    Raises:
        Kept: It can't be done safely.
        OSError: It can't be done.
    """
    if rule.on_success == "keep":
        return None
    if missing:
        raise Kept("it was kept: a result is incomplete")
    if rule.on_success == "move" and rule.done_folder:
        _check_unchanged(source, stat)
        return f"moved to {display(move_below(source, rule.path, rule.done_folder))}"
    if rule.on_success == "delete":
        if not written:
            raise Kept("it was kept: no output was written that could take its place")
        if not all(is_there(one) for one in written):
            raise Kept("it was kept: an output is missing or damaged")
        _check_unchanged(source, stat)
        source.unlink()
        return "deleted; its outputs are there"
    if len(artifacts) != 1:
        raise Kept(f"it was kept: one artifact can replace it, and there are {len(artifacts)}")
    (path, file_hash), *_ = artifacts
    if file_hash == source_hash:
        raise Kept("it was kept: its artifact has the same bytes")
    return replace(source, stat, Path(path), file_hash)


def after_failure(rule: Watch, source: Path, stat: FileStat) -> str | None:
    """Do what `on_failure` says; returns what became of the file if it is no longer there."""
    if rule.on_failure != "move" or rule.failed_folder is None:
        return None
    _check_unchanged(source, stat)
    return f"moved to {display(move_below(source, rule.path, rule.failed_folder))}"


def move_below(source: Path, top: Path, folder: Path) -> Path:
    """Move a file to the same place below another folder; nothing is overwritten.

    Raises:
        OSError: It can't be moved.
    """
    wanted = folder / source.relative_to(top)
    wanted.parent.mkdir(parents=True, exist_ok=True)
    for target in names_for(wanted):
        if os.path.lexists(target):
            continue
        try:
            os.link(source, target)
        except FileExistsError:
            continue
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            target = copy_to(source, wanted)  # noqa: PLW2901 - another drive: its own free name
        source.unlink()
        return target
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(wanted))


def replace(source: Path, stat: FileStat, artifact: Path, file_hash: str) -> str:
    """Put an artifact in a file's place; at no time is there neither.

    The artifact is copied beside the file and read again. With the file's own suffix it takes the
    name in one step while the old content has a second name; else it gets its own name first.
    What goes wrong leaves the file as it was.

    Raises:
        Kept: The copy is damaged, or the file has changed.
        OSError: It can't be done.
    """
    target = source.with_suffix(artifact.suffix)
    staged = source.with_name(f".{source.name}.{os.getpid()}.part")
    aside = source.with_name(f".{source.name}.mediahost-old")
    try:
        copied = copy_to(artifact, staged)
        _check_unchanged(source, stat)
        if target != source:
            move_to_free(copied, target)
            try:
                _check_copy(target, file_hash)
            except (OSError, Kept):
                target.unlink()
                raise
            source.unlink()
            return f"replaced by {display(target.name)}"
        aside.unlink(missing_ok=True)
        os.link(source, aside)
        copied.replace(source)
        try:
            _check_copy(source, file_hash)
        except (OSError, Kept):
            aside.replace(source)
            raise
        aside.unlink()
    except FileExistsError:
        raise Kept(f"it was kept: {display(target.name)} is there already") from None
    finally:
        staged.unlink(missing_ok=True)
    return f"replaced by its artifact {display(artifact.name)}"


def _check_copy(path: Path, file_hash: str) -> None:
    if not verify_file(path, file_hash):
        raise Kept("it was kept: the artifact could not be copied whole")


def _check_unchanged(source: Path, stat: FileStat) -> None:
    if FileStat.of(source.lstat()) != stat:
        raise Kept("it was kept: it has changed meanwhile")
