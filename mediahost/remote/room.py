"""Room: copies that nobody uses go, the longest unused first, before they take too much of it."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

# Between its coming and the attempt that holds it, a copy is nobody's; it must not go then.
FRESH_S = 60.0
# Room is made for a while, not for one file.
FULL = 0.9


class Room:
    """What copies may take together.

    A copy that an attempt reads is held by a shared lock on its file, which every host that uses
    the folder sees, and which ends with the host.

    Args:
        folder: Where copies are: below it, `xx/URL/VERSION/NAME`.
        most_bytes: What they may take.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._taken: int | None = None

    def hold(self, path: Path) -> Callable[[], None] | None:
        """Keep a copy where it is.

        Returns:
            What lets go of it; None: it has just been removed.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if not os.fstat(descriptor).st_nlink:
            os.close(descriptor)
            return None
        return lambda: os.close(descriptor)

    def make(self, grown: int) -> None:
        """Remove copies if there is too little room, now that so many bytes have come."""
        with self._lock:
            if self._taken is not None:
                self._taken += grown
            if self._taken is None or self._taken > self._most_bytes:
                self._taken = self._trimmed()

    def _trimmed(self) -> int:
        """What is taken in the end."""
        copies = sorted(self._copies())
        taken = sum(size for _, size, _ in copies)
        if taken <= self._most_bytes:
            return taken
        for used_at, size, path in copies:
            if taken <= self._most_bytes * FULL or used_at > time.time() - FRESH_S:
                break
            if remove(path):
                taken -= size
        return taken

    def _copies(self) -> Iterator[tuple[float, int, Path]]:
        """When each was used last, its size and its path."""
        for path in self._folder.glob("*/*/*/*"):
            with suppress(OSError):
                yield path.parent.stat().st_mtime, path.stat().st_size, path


def used(path: Path) -> None:
    """A copy is used now."""
    with suppress(OSError):
        os.utime(path.parent)


def remove(path: Path) -> bool:
    """Remove a copy and what is only there for it, unless somebody holds it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    except OSError:
        return False
    finally:
        os.close(descriptor)
    # Another version may be there or just come: then its folder isn't empty, and stays.
    for folder in (path.parent, path.parent.parent):
        with suppress(OSError):
            folder.rmdir()
    return True
