"""An SQLite file by the standard library alone, for those who can't wait for SQLAlchemy to load."""

import os
import sqlite3
from pathlib import Path
from typing import Literal

# How long a writer waits for another process's transaction; batches take milliseconds, so this
# much means that somebody is stuck.
BUSY_TIMEOUT_S = 10.0

# All that SQLite can map of a file, 2 GB: what lies beyond costs a lookup twice as much (5.9
# instead of 2.8 µs a key among 300,000 results).
MAPPED_BYTES = 0x7FFF0000


def connect(path: Path, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    """A connection to a file that is there, without transactions of its own, for any thread.

    Raises:
        sqlite3.Error: There is no such file, or it can't be opened.
    """
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        uri=True,
    )


def files_of(path: Path) -> list[Path]:
    """The file and those that SQLite keeps beside it, as far as they are there."""
    names = (path.name + side for side in ("", "-wal", "-shm", "-journal"))
    return [file for file in map(path.with_name, names) if file.exists()]


def is_full(error: BaseException | None) -> bool:
    """Whether a full disk is what SQLite told of, whatever has been made of that since."""
    while error is not None:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return True
        error = error.__cause__
    return False


def create_private(path: Path) -> None:
    """Make an empty file that its owner alone may read.

    One that is there stays unopened: closing it would let go of this process's locks.

    Raises:
        FileExistsError: It is there already.
        OSError: It can't be made.
    """
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
