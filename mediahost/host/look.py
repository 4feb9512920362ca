"""A look: what media files are like at one moment."""

from mediahost.hashing import FileStat
from mediahost.host.files import FileHashes
from mediahost.host.writers import Writers, writers_of


class Look:
    """Looks at each file once, however many jobs it has: make a new one for the next moment.

    Args:
        files: Knows their hashes.
    """

    def __init__(self, files: FileHashes) -> None:
        self._files = files
        self._seen: dict[str, tuple[FileStat, str]] = {}
        self._writers: dict[str, Writers] = {}

    def at(self, path: str) -> tuple[FileStat, str]:
        """The file's status and hash.

        Raises:
            OSError: It can't be read.
            ChangedWhileHashing: It is being written.
        """
        if path not in self._seen:
            self._seen[path] = self._files.look(path)
        return self._seen[path]

    def is_being_written(self, path: str) -> bool:
        """Whether somebody has it open for writing.

        Raises:
            OSError: It can't be opened.
        """
        if path not in self._writers:
            self._writers[path] = writers_of(path)
        return self._writers[path] is Writers.SOME
