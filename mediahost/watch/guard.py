"""Guard: is the watched folder really there, or an empty mount point in its place?"""

import os
from dataclasses import dataclass
from pathlib import Path

from mediahost.partfile import PartFile

MARKER = ".mediahost-watch"
_TEXT = (
    "mediahost watches this folder. This file tells it that the right drive is mounted here:\n"
    "without it nothing is taken for deleted. It is made again where it is missed.\n"
)

# Fewer files than this may go all at once: that's a person tidying up.
MANY = 10


@dataclass
class Guard:
    """What is known of the root from before.

    Attributes:
        device: Its st_dev; None: never seen.
        marked: The marker could be written.
    """

    device: int | None = None
    marked: bool = False

    def why_missing(self, root: str, *, has_files: bool) -> str | None:
        """Why the folder is not the one that it was, or None if all is well.

        Args:
            root: The folder.
            has_files: Files in it are known, so that there is something to lose.
        """
        try:
            device = os.stat(root).st_dev  # noqa: PTH116 - may not be UTF-8
            os.scandir(root).close()
        except OSError as error:
            return f"the folder can't be opened: {os.strerror(error.errno or 0)}"
        is_marked = os.path.lexists(os.path.join(root, MARKER))  # noqa: PTH118
        if self.device is None or is_marked or not has_files:
            return None
        if self.marked and self._is_empty(root):
            return "the folder is empty and its marker is gone; is its drive mounted?"
        if device != self.device:
            return "another drive is mounted here"
        return None

    def is_marked_here(self, root: str) -> bool:
        """Whether this is surely the folder that was watched: on its drive, with its marker."""
        try:
            return os.stat(root).st_dev == self.device and os.path.lexists(f"{root}/{MARKER}")  # noqa: PTH116
        except OSError:
            return False

    def remember(self, root: str) -> None:
        """Take the folder as it is for the right one, and mark it if it can be written."""
        self.device = os.stat(root).st_dev  # noqa: PTH116
        marker = Path(root, MARKER)
        try:
            if not marker.is_file():
                with PartFile(marker) as part:
                    part.file.write(_TEXT.encode())
                    part.keep_new()
        except OSError:
            self.marked = False
        else:
            self.marked = True

    @staticmethod
    def _is_empty(root: str) -> bool:
        with os.scandir(root) as entries:
            return not any(entry for entry in entries if entry.name != "lost+found")


def is_too_much(gone: int, known: int) -> bool:
    """Whether so many files going at once look like a drive that went, not like a person."""
    return gone >= MANY and gone * 2 > known
