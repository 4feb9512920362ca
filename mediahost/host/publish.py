"""Publishing: copies of artifacts where a person wants to find them."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from mediahost.errors import MediahostError
from mediahost.hashing import hash_file, verify_file
from mediahost.host.run import RunRow
from mediahost.model.media import display, url_to_path


class Publisher:
    """Copies artifacts into a folder laid out as the folders that were run.

    No file that is there is ever overwritten: a copy whose name is taken by other content gets
    the next free number. Doing it again copies nothing.
    """

    def __init__(self, output: Path, paths: Sequence[str | os.PathLike[str]]) -> None:
        self._output = output.absolute()
        absolute = [Path(path).absolute() for path in paths]
        self._tops = [path if path.is_dir() else path.parent for path in absolute]

    def publish(self, rows: Sequence[RunRow]) -> list[RunRow]:
        """The rows, with their artifacts where the copies are.

        Raises:
            MediahostError: A copy can't be written.
        """
        return [self._published(row) if row.artifacts else row for row in rows]

    def _published(self, row: RunRow) -> RunRow:
        media = Path(url_to_path(row.media_url))
        folder = self._output / self._below(media)
        copies = []
        for path in map(Path, row.artifacts):
            name = path.name if path.name.startswith(media.stem) else f"{media.stem}.{path.name}"
            try:
                copies.append(str(_copy(path, folder / name)))
            except OSError as error:
                raise MediahostError(
                    f"{display(folder / name)} can't be written: {error.strerror}",
                    f"The artifact itself is safe: {display(path)}",
                ) from None
        return replace(row, artifacts=tuple(copies))

    def _below(self, media: Path) -> Path:
        for top in self._tops:
            if media.is_relative_to(top):
                return media.relative_to(top).parent
        return Path()


def _copy(artifact: Path, wanted: Path) -> Path:
    """Copy whole or not at all; find the copy that an earlier call made."""
    wanted.parent.mkdir(parents=True, exist_ok=True)
    file_hash, _ = hash_file(artifact)
    part = wanted.with_name(f".{wanted.name}.{os.getpid()}.part")
    for target in _names(wanted):
        if target.is_file() and verify_file(target, file_hash):
            return target
        if os.path.lexists(target):
            continue
        try:
            shutil.copyfile(artifact, part)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            os.link(part, target)  # unlike a rename, this fails if the name was taken meanwhile
        except FileExistsError:
            continue
        finally:
            part.unlink(missing_ok=True)
        return target
    raise FileExistsError(17, "No name is free", str(wanted))


def _names(wanted: Path) -> Iterator[Path]:
    yield wanted
    for number in count(2):
        yield wanted.with_stem(f"{wanted.stem}.{number}")
