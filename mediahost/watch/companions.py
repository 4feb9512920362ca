"""Companions: XMP sidecars, in which programs for pictures keep what was done to a file."""

import os
from collections.abc import Iterator
from pathlib import Path

from mediahost.errors import MediahostError
from mediahost.hashing import hash_file
from mediahost.model.paths import composed, display, spellings
from mediahost.watch.moving import move
from mediahost.watch.original import Kept

_XMP = (".xmp", ".XMP")


def take_along(source: Path, target: Path) -> str:
    """Move the sidecars of a file that has moved; each is called as the file is.

    Both `IMG_1.jpg.xmp` and `IMG_1.xmp` are sidecars of `IMG_1.jpg`. The second stays where
    another file is called so too, such as `IMG_1.nef`. Nothing is overwritten.

    Args:
        source: Where the file was.
        target: Where it is.

    Returns:
        Which sidecars stay and why, for a person; empty if none does.
    """
    said = []
    for sidecar, place in _sidecars(source, target):
        try:
            _check_is_its_own(sidecar, source)
            file_hash, stat = hash_file(sidecar)
            move(sidecar, stat, place, file_hash, numbered=False)
        except MediahostError as error:
            said.append(f"; {display(sidecar.name)}: {error.message}")
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            said.append(f"; {display(sidecar.name)}: it was kept: {reason}")
    return "".join(said)


def _sidecars(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """Each sidecar that there is, and its place beside the file's new one.

    Names are tried, for a folder may hold a hundred thousand files.
    """
    for called, new in ((source.name, target.name), (source.stem, target.stem)):
        for one in spellings(called):
            for suffix in _XMP:
                sidecar, place = source.with_name(one + suffix), target.with_name(new + suffix)
                if sidecar != place and os.path.lexists(sidecar):
                    yield sidecar, place


def _check_is_its_own(sidecar: Path, source: Path) -> None:
    """See that a sidecar is of no other file in its folder.

    Raises:
        Kept: It is, perhaps.
        OSError: The folder can't be listed.
    """
    called = composed(sidecar.stem)
    is_of_stem = called != composed(source.name)
    for name in os.listdir(source.parent):  # noqa: PTH208 - there may be many
        if name in (source.name, sidecar.name) or name.endswith(_XMP):
            continue
        whole = composed(name)
        if whole == called or (is_of_stem and os.path.splitext(whole)[0] == called):  # noqa: PTH122
            raise Kept(f"it was kept: it may belong to {display(name)}")
