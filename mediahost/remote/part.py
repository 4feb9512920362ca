"""A part: a download under way, hashed as it comes, that never passes for the whole."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from blake3 import blake3

from mediahost.errors import InvalidMedia
from mediahost.hashing import Algorithm
from mediahost.ports import OnBytes

TELL_S = 0.5


class TooLarge(InvalidMedia):
    """More bytes than the settings allow."""


class Part:
    """A file that grows; only `finish` gives it its name.

    Args:
        path: Where it grows.
        algorithm: What it is hashed with.
        max_bytes: More are refused.
        name: What to call it in messages.
        on_bytes: Told how far it is, at most every `TELL_S` seconds.
    """

    def __init__(
        self, path: Path, algorithm: Algorithm, max_bytes: int, name: str, on_bytes: OnBytes
    ) -> None:
        self._path = path
        self._algorithm = algorithm
        self._max_bytes = max_bytes
        self._name = name
        self._on_bytes = on_bytes
        self._told_at = time.monotonic()
        self._whole: int | None = None
        self._file = path.open("xb")
        self._hasher: Any
        self.size = 0
        self.restart()

    def restart(self) -> None:
        """Begin anew: the bytes so far are of another version."""
        self._file.seek(0)
        self._file.truncate()
        self._hasher = blake3() if self._algorithm == "blake3" else hashlib.sha256()
        self.size = 0

    def announce(self, size: int | None) -> None:
        """So many bytes will come.

        Raises:
            TooLarge: Those are too many.
        """
        if size is not None and size > self._max_bytes:
            raise TooLarge(
                f"{self._name} has {size:,} bytes; {self._max_bytes:,} are the limit",
                "Raise remote_max_mb in the settings, or fetch it yourself.",
            )
        self._whole = size

    def write(self, data: bytes) -> None:
        """Append.

        Raises:
            TooLarge: Those are too many.
        """
        self.size += len(data)
        if self.size > self._max_bytes:
            raise TooLarge(
                f"{self._name} has more than {self._max_bytes:,} bytes, the limit",
                "Raise remote_max_mb in the settings, or fetch it yourself.",
            )
        self._hasher.update(data)
        self._file.write(data)
        if time.monotonic() > self._told_at + TELL_S:
            self._told_at = time.monotonic()
            self._on_bytes(self.size, self._whole)

    def finish(self, place: Callable[[str], Path]) -> str:
        """The whole is here: give it its name, safe on the disk.

        Args:
            place: Where it stays, by its hash.

        Returns:
            Its hash.
        """
        file_hash = f"{self._algorithm}:{self._hasher.hexdigest()}"
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        path = place(file_hash)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.replace(path)
        return file_hash

    def discard(self) -> None:
        """Remove it, unless it is finished."""
        self._file.close()
        self._path.unlink(missing_ok=True)
