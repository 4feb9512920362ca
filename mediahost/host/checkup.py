"""A check-up of the store: does it say what is on the disk, and is all on the disk in it."""

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from mediahost.host.artifacts import ARTIFACTS, LOGS, STAGING
from mediahost.host.garbage import attempt_folders, size_of, used_tokens
from mediahost.model.care import KeptResult
from mediahost.ports import CaredStore


@dataclass(frozen=True, slots=True)
class Misfit:
    """A file that is not as the store says.

    Attributes:
        path: Where it should be.
        reason: What is wrong.
    """

    path: str
    reason: str


@dataclass
class Checkup:
    """What was found.

    Attributes:
        faults: What is wrong with the database in itself.
        misfits: Artifacts that are missing or have another size: their actions will run again.
        unused: Folders of artifacts that no row speaks of; `mediahost store gc` removes them.
        files: How many artifacts were looked at.
        sizes: Bytes of artifacts, staging and logs.
    """

    faults: list[str] = field(default_factory=list)
    misfits: list[Misfit] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    files: int = 0
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether nothing is lost or damaged."""
        return not self.faults and not self.misfits


def check_up(store: CaredStore, data_dir: Path) -> Checkup:
    """Compare what the store says with what is on the disk. Nothing is changed or read whole."""
    found = Checkup(faults=store.faults())
    folders = dict(attempt_folders(data_dir))
    results = store.kept_results()
    _compare(results, found)
    unused = folders.keys() - used_tokens(results) - store.needs().live
    found.unused = sorted(str(folders[token]) for token in unused)
    found.sizes = {name: size_of(data_dir / name) for name in (ARTIFACTS, STAGING, LOGS)}
    return found


def _compare(results: Collection[KeptResult], found: Checkup) -> None:
    for file in (file for result in results for file in result.files):
        found.files += 1
        try:
            size = os.stat(file.path).st_size  # noqa: PTH116 - names may not be UTF-8
        except OSError as error:
            found.misfits.append(Misfit(file.path, os.strerror(error.errno or 0)))
            continue
        if file.size is not None and size != file.size:
            reason = f"has {size:,} bytes, not {file.size:,}"
            found.misfits.append(Misfit(file.path, reason))
