"""The job's log: what an attempt and the programs that it ran have written."""

import logging
from collections import deque
from pathlib import Path
from typing import IO

_logger = logging.getLogger("mediahost.executor")

# Enough for any log that is read, too little to fill a disk.
MAX_BYTES = 32 << 20
TAIL_BYTES = 4096


class JobLog:
    """Appends to a file that is made when there is something to write, not before.

    Args:
        path: The file; None: only the last few lines are remembered.
    """

    def __init__(self, path: str | None = None) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._written = 0
        self._tail = b""

    def write(self, data: bytes) -> None:
        """Append, up to `MAX_BYTES`. A disk that is full costs the log, not the job."""
        self._tail = (self._tail + data)[-TAIL_BYTES:]
        if self._path is None or self._written >= MAX_BYTES:
            return
        self._written += len(data)
        if self._written >= MAX_BYTES:
            data += b"\n... and more, which was not kept\n"
        try:
            if self._file is None:
                path = Path(self._path)
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("ab", buffering=0)
            self._file.write(data)
        except OSError as error:
            _logger.warning("The log %s can't be written: %s", self._path, error)
            self._path = None

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def is_used(self) -> bool:
        """Whether anything was written."""
        return bool(self._tail)

    @property
    def tail(self) -> str:
        """The last lines."""
        return self._tail.decode(errors="replace")

    @property
    def last_words(self) -> str:
        """The last line before the traceback of a crash, or the last of all; "" if none."""
        words, _, _ = self.tail.partition("Fatal Python error")
        lines = deque((line.strip() for line in words.splitlines() if line.strip()), maxlen=1)
        return lines.pop() if lines else ""
