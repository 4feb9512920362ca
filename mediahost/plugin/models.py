"""Models that have a name: which files they are, byte for byte, and where they lie.

A model decides what a job finds, and it comes from strangers: a hub, a mirror, a package. So each
known model is pinned to the SHA-256 of its files, and they are checked before they are loaded,
whatever way they came. A hash costs a second per gigabyte or two; it is remembered with the stat of
the file, and taken again when that has changed.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from mediahost.errors import Unavailable
from mediahost.hashing import ChangedWhileHashing, FileStat, hash_file
from mediahost.partfile import write_text
from mediahost.user_folders import user_cache_folder, user_data_folder

log = logging.getLogger(__name__)

MODELS_VARIABLE = "MEDIAHOST_MODELS"
SHOWN_DIGITS = 12


class ModelMissing(Unavailable):
    """The model is not on this machine, or not whole."""


class ModelMismatch(Unavailable):
    """The files are not those of the model that goes by this name."""


class PinnedFile(NamedTuple):
    """A file of a model.

    Attributes:
        name: Its name in the model's folder.
        size: In bytes.
        sha256: 64 hexadecimal digits.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class PinnedModel:
    """A model that is known by name.

    Attributes:
        name: As a person writes it in an action's config, unique among all plugins.
        folder_name: Its folder in the folder of models.
        files: All files that are loaded, the weights first.
        repository: The repository on the hub where its makers keep it.
        revision: The commit in that repository, 40 hexadecimal digits.
        licence: An SPDX identifier.
        hashes_from: Where the hashes of `files` were taken from, in a sentence.
        packaged: Finds the folder of an installed package that carries it, or None.
    """

    name: str
    folder_name: str
    files: tuple[PinnedFile, ...]
    repository: str
    revision: str
    licence: str
    hashes_from: str
    packaged: Callable[[], Path | None] = lambda: None

    @property
    def size(self) -> int:
        """What all files take, in bytes."""
        return sum(file.size for file in self.files)

    @property
    def home(self) -> Path:
        """Its folder in the folder of models, whether it is there or not."""
        return models_folder() / self.folder_name

    def found(self) -> Path | None:
        """The folder where it lies, unchecked; None if it is not on this machine."""
        weights = self.files[0].name
        if (self.home / weights).is_file():
            return self.home
        packaged = self.packaged()
        return packaged if packaged and (packaged / weights).is_file() else None

    def checked(self) -> Path:
        """The folder of its files, after each was found to be the published one.

        Raises:
            ModelMissing: It is not on this machine.
            ModelMismatch: A file is missing or is another one.
        """
        folder = self.found()
        if folder is None:
            raise ModelMissing(
                f"The model {self.name} ({self.size / 1e6:.0f} MB) is not on this machine",
                f"Get it with: mediahost models get {self.name}\n"
                "Offline: copy its folder from a machine that has it to "
                f"{self.home}, or set the config model to its path.",
            )
        self.check(folder)
        return folder

    def check(self, folder: Path) -> None:
        """Compare the files in a folder with what was published.

        Raises:
            ModelMismatch: A file is missing or is another one.
        """
        for file in self.files:
            if problem := difference(folder / file.name, file):
                raise ModelMismatch(
                    f"{folder} does not hold the published model {self.name}: {problem}",
                    f"Get the published files with: mediahost models get {self.name}\n"
                    "To use files of your own, set the config model to their path.",
                )


def models_folder() -> Path:
    """Where models are looked for first, and where they are downloaded to."""
    given = os.environ.get(MODELS_VARIABLE)
    return Path(given).expanduser() if given else user_data_folder() / "models"


def difference(path: Path, pinned: PinnedFile) -> str | None:
    """What is wrong with a file, in a few words; None if it is the pinned one."""
    try:
        size = path.stat().st_size
        if size != pinned.size:
            return f"{pinned.name} has {size:,} bytes, not {pinned.size:,}"
        actual = sha256_of(path)
    except ChangedWhileHashing:
        return f"{pinned.name} changes while it is read"
    except OSError as error:
        return f"{pinned.name} can't be read: {error.strerror}"
    if actual != pinned.sha256:
        return f"the SHA-256 of {pinned.name} is {_short(actual)}, not {_short(pinned.sha256)}"
    return None


def _short(digest: str) -> str:
    return f"{digest[:SHOWN_DIGITS]}…"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as 64 digits; read again only if its stat has changed.

    Raises:
        ChangedWhileHashing: The file was written to meanwhile.
        OSError: The file can't be read.
    """
    note = _note_of(path)
    with suppress(OSError):  # below, the same error comes from reading
        known = _noted(note, FileStat.of(path.stat()))
        if known is not None:
            return known
    began_ns = time.time_ns()
    hashed, stat = hash_file(path, "sha256")
    digest = hashed.partition(":")[2]
    if stat.trusted_since(began_ns):
        _keep(note, {"path": str(path), "stat": list(stat), "sha256": digest})
    return digest


def _note_of(path: Path) -> Path:
    key = sha256(os.fsencode(path.absolute())).hexdigest()
    return user_cache_folder() / "model-hashes" / f"{key}.json"


def _noted(note: Path, stat: FileStat) -> str | None:
    """The hash that was noted for a file with this stat."""
    try:
        known = json.loads(note.read_bytes())
        same = known["stat"] == list(stat)
        return str(known["sha256"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(note: Path, known: dict[str, Any]) -> None:
    """Note a hash. Where that is impossible, the next check reads the file again."""
    try:
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_text(note, json.dumps(known), durable=False)
    except OSError as error:
        log.debug("The hash of %s is not remembered: %s", known["path"], error)
