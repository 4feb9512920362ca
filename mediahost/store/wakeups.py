"""Waiting for others to write to the store, without asking it anything."""

import threading
import time
from pathlib import Path
from typing import Self

from mediahost.store.place import Place
from mediahost.store.sqlite_file import connect

POLL_S = 0.1


class SqliteWakeup:
    """Waits for commits to one SQLite file, of this process or any other.

    It asks for `PRAGMA data_version` on a connection of its own, which takes about 2 µs and no
    lock. For one thread; only `close` may be called from another.

    Args:
        path: The file.
        poll_s: Seconds between two looks.
    """

    def __init__(self, path: Path, poll_s: float = POLL_S) -> None:
        self.poll_s = poll_s
        self._closed = threading.Event()
        self._connection = connect(path, "ro")
        self._place = Place(path)
        self._in_use = threading.Lock()
        self._version = 0
        self._version = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self, timeout_s: float) -> bool:
        """Wait for a commit since the last call, at most so long; whether there was one.

        A closed one returns at once.
        """
        ends_at = time.monotonic() + timeout_s
        while not self._closed.is_set():
            version = self._read()
            # Who looks at a file that is not in its place is told so.
            if version != self._version or self._place.is_left:
                self._version = version
                return True
            left = ends_at - time.monotonic()
            if left <= 0:
                break
            self._closed.wait(min(self.poll_s, left))
        return False

    def close(self) -> None:
        """Let go of the file; who waits returns."""
        self._closed.set()
        with self._in_use:
            self._connection.close()

    def _read(self) -> int:
        with self._in_use:
            if self._closed.is_set():
                return self._version
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
