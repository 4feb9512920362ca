"""A place: the file that was opened, as opposed to the one that is at its path by now."""

import os
from pathlib import Path

from mediahost.errors import StoreError
from mediahost.model.paths import display

_HINT = (
    "Nothing was written to it any more. Put the store back in its place, or end this program "
    "and start it again to work on what is there now."
)


class StoreMoved(StoreError):
    """The file of a store that is open was moved, removed or replaced."""


class Place:
    """Device and inode of an open file, compared with those at its path.

    SQLite goes on writing to a file that has no name any more, and all of it would be lost.

    Args:
        path: The file, which has just been opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = os.fspath(path)
        self._identity = self._found()

    def check(self) -> None:
        """Make sure that the file is still the one at its path; takes 2 µs.

        Raises:
            StoreMoved: It is not.
        """
        found = self._found()
        if found == self._identity:
            return
        became = "was moved or removed" if found is None else "was replaced by another file"
        raise StoreMoved(f"The store {display(self._path)} {became} while it was open", _HINT)

    @property
    def is_left(self) -> bool:
        """Whether the file is not at its path any more."""
        return self._found() != self._identity

    def _found(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - at each transaction
        except OSError:
            return None
        return found.st_dev, found.st_ino
