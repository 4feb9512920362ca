"""Groups: the process groups that must not outlive their host, however it ends."""

import logging
import subprocess
import sys
from pathlib import Path

from mediahost.executor import reaper

_logger = logging.getLogger("mediahost.executor")


class Groups:
    """Tells the reaper, a process of its own, which groups there are. For one thread."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._reaper: subprocess.Popen[bytes] | None = None

    def add(self, group: int) -> None:
        """End this one with the host."""
        self._groups.add(group)
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """This one is gone; its number may be somebody else's soon."""
        self._groups.discard(group)
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """End what is left, and the reaper."""
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.close()
            self._reaper.wait()
            self._reaper = None

    def _tell(self, line: str) -> None:
        try:
            if self._reaper is None:
                self._start()
            else:
                self._write(line)
        except BrokenPipeError:
            # Somebody has killed the reaper: the next one learns of all groups.
            self.close()
            self._start()
        except OSError as error:
            _logger.warning("Workers may outlive a killed host; no reaper: %s", error)

    def _start(self) -> None:
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", "-S", Path(reaper.__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        for group in self._groups:
            self._write(f"+{group}\n")

    def _write(self, line: str) -> None:
        if self._reaper is not None and self._reaper.stdin is not None:
            # Shorter than PIPE_BUF, so it arrives whole or not at all.
            self._reaper.stdin.write(line.encode())
