"""Aftermath: what becomes of a person's file once it succeeded or failed.

Nothing is removed before what takes its place is on the disk and has been read again.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from mediahost.hashing import FileStat, verify_file
from mediahost.host.attributes import carry_over
from mediahost.host.naming import OutputRefused, check_inside
from mediahost.host.publish import CopyDamaged, fill
from mediahost.model.paths import display
from mediahost.model.watch import Watch
from mediahost.partfile import PartFile
from mediahost.watch.companions import take_along
from mediahost.watch.moving import move
from mediahost.watch.original import Kept, check_same, check_unchanged, put_back, set_aside
from mediahost.watch.outputs import Written, is_there

# Of which folders it has been said that artifacts could not keep what.
_SAID: set[tuple[str, ...]] = set()


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
        moved = move_below(source, stat, rule.path, rule.done_folder, source_hash)
        return f"moved to {display(moved)}{take_along(source, moved)}"
    if rule.on_success == "delete":
        if not written:
            raise Kept("it was kept: no output was written that could take its place")
        if not all(is_there(one) for one in written):
            raise Kept("it was kept: an output is missing or damaged")
        with set_aside(source, stat) as aside:
            aside.unlink()
        return "deleted; its outputs are there"
    if len(artifacts) != 1:
        raise Kept(f"it was kept: one artifact can replace it, and there are {len(artifacts)}")
    (path, file_hash), *_ = artifacts
    if file_hash == source_hash:
        raise Kept("it was kept: its artifact has the same bytes")
    if rule.replace_only_if_smaller and Path(path).stat().st_size >= stat.size:
        raise Kept("it was kept: its artifact is not smaller")
    return replace(source, stat, Path(path), file_hash)


def after_failure(rule: Watch, source: Path, stat: FileStat, source_hash: str) -> str | None:
    """Do what `on_failure` says; returns what became of the file if it is no longer there.

    Raises:
        Kept: It can't be done safely.
        OSError: It can't be done.
    """
    if rule.on_failure != "move" or rule.failed_folder is None:
        return None
    moved = move_below(source, stat, rule.path, rule.failed_folder, source_hash)
    return f"moved to {display(moved)}{take_along(source, moved)}"


def move_below(source: Path, stat: FileStat, top: Path, folder: Path, source_hash: str) -> Path:
    """Move a file to the same place below another folder; nothing is overwritten.

    Returns:
        Where it is.

    Raises:
        Kept: It has changed, could not be copied whole to another drive, or a symbolic link leads
            out of the folder.
        OSError: It can't be moved.
    """
    wanted = folder / source.relative_to(top)
    try:
        check_inside(wanted, folder)
    except OutputRefused as error:
        raise Kept(f"it was kept: {error.message}") from None
    return move(source, stat, wanted, source_hash)


def replace(source: Path, stat: FileStat, artifact: Path, file_hash: str) -> str:
    """Put an artifact in a file's place; at no time is there neither.

    The artifact is copied beside the file and read again. With the file's own suffix the two
    change places in one step; else the artifact gets its own name first. Then the file is looked
    at once more, and goes if it is still what was processed. What goes wrong leaves it as it was.
    The artifact gets its owner, mode, times and extended attributes, where it may.

    Returns:
        What was done, for a person.

    Raises:
        Kept: The copy is damaged, or the file has changed.
        OSError: It can't be done.
    """
    target = source.with_suffix(artifact.suffix)
    check_unchanged(source, stat)
    with PartFile(target) as part:
        try:
            fill(part, artifact, file_hash)
        except CopyDamaged as error:
            raise Kept(f"it was kept: {error.message}") from None
        lost = carry_over(source, part.path)
        if target == source:
            _exchange(part, source, stat)
            return f"replaced by its artifact{_lost(source, lost)}"
        try:
            part.keep_new()
        except FileExistsError:
            raise Kept(f"it was kept: {display(target.name)} is there already") from None
    try:
        with set_aside(source, stat) as aside:
            aside.unlink()
    except BaseException:
        # Of the file as it is now it would be no copy.
        if verify_file(target, file_hash):
            target.unlink()
        raise
    said = f"{_lost(source, lost)}{take_along(source, target)}"
    return f"replaced by {display(target.name)}{said}"


def _lost(source: Path, lost: Sequence[str]) -> str:
    """What of a file's attributes its artifact may not have, said once for a folder."""
    said = (str(source.parent), *lost)
    if not lost or said in _SAID:
        return ""
    _SAID.add(said)
    return f"; it could not keep: {', '.join(lost)}"


def _exchange(part: PartFile, source: Path, stat: FileStat) -> None:
    """Have the part take the file's name, and the file go."""
    check_unchanged(source, stat)
    copy = FileStat.of(os.fstat(part.file.fileno()))
    if not part.swap():
        with set_aside(source, stat) as aside:
            part.keep_new()
            aside.unlink()
        return
    aside = part.path
    try:
        check_same(aside, stat)
    except Kept:
        _undo(aside, source, copy)
        raise
    aside.unlink()


def _undo(aside: Path, source: Path, copy: FileStat) -> None:
    """Give a version that was saved a moment ago its name again, which the copy has."""
    try:
        check_same(source, copy)
    except Kept:
        # A yet newer one has it: both stay.
        put_back(aside, source)
        return
    aside.replace(source)
