"""The temporary folder of a worker: what attempts leave in it goes with them."""

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

# Of the folder's name; the number of the worker follows.
PREFIX = "temporary."
# The kernel's clock for files ticks every 10 ms at most.
TICK_NS = 50_000_000
VARIABLES = ("TMPDIR", "TEMP", "TMP")


def temporary_folder(workdir: str, pid: int) -> str:
    """Where the worker of this number has its temporary files: beside what its attempts write."""
    return f"{os.path.dirname(workdir)}/{PREFIX}{pid}"  # noqa: PTH120 - asked for each attempt


class Temporary:
    """`TMPDIR` while attempts run: a folder that is empty when one begins, and private.

    One folder a worker, emptied after each attempt, is as good as one an attempt, and costs an
    attempt that writes nothing next to nothing.
    """

    def __init__(self) -> None:
        self._folder = ""
        self._kept: set[str] = set()
        self._loads = 0
        self._variables: dict[str, str] = {}
        # When an entry of the folder came or went last, in nanoseconds; 0: it is not there.
        self._changed_ns = 0

    def open(self, workdir: str) -> dict[str, str]:
        """Make the folder for an attempt with this workdir; the variables that name it.

        Raises:
            OSError: It can't be made.
        """
        folder = temporary_folder(workdir, os.getpid())
        if folder == self._folder and self._changed_ns:
            tempfile.tempdir = folder
            return self._variables
        try:
            os.mkdir(folder, 0o700)  # noqa: PTH102 - see temporary_folder
            self._kept.clear()
        except FileExistsError:
            pass
        except FileNotFoundError:
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._kept.clear()
        self._folder = tempfile.tempdir = folder
        self._variables = dict.fromkeys(VARIABLES, folder)
        self._changed_ns = 1
        return self._variables

    def tidy(self, loads: int) -> None:
        """Empty it, but for what a resource that was loaded meanwhile may have put there.

        Args:
            loads: How many resources were loaded so far.
        """
        if not self._folder:
            return
        before, self._changed_ns = self._changed_ns, self._change()
        # Nothing came or went, as far as the clock of the file system can tell.
        is_old = self._changed_ns < time.time_ns() - TICK_NS
        if self._changed_ns == before and is_old and loads == self._loads:
            return
        with suppress(OSError):
            names = set(os.listdir(self._folder))  # noqa: PTH208
            if loads != self._loads:
                self._loads = loads
                self._kept |= names
            for name in names - self._kept:
                path = Path(self._folder, name)
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def _change(self) -> int:
        try:
            return os.stat(self._folder).st_mtime_ns  # noqa: PTH116 - asked for each attempt
        except OSError:
            return 0

    def close(self) -> None:
        """Remove it."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
