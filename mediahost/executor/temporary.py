"""The temporary folder of a worker: what attempts leave in it goes with them."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

# Of the folder's name; the number of the worker follows.
PREFIX = "temporary."
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

    def open(self, workdir: str) -> dict[str, str]:
        """Make the folder for an attempt with this workdir; the variables that name it.

        Raises:
            OSError: It can't be made.
        """
        folder = temporary_folder(workdir, os.getpid())
        try:
            os.mkdir(folder, 0o700)  # noqa: PTH102 - see temporary_folder
            self._kept.clear()
        except FileExistsError:
            pass
        except FileNotFoundError:
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._kept.clear()
        self._folder = tempfile.tempdir = folder
        return dict.fromkeys(VARIABLES, folder)

    def tidy(self, loads: int) -> None:
        """Empty it, but for what a resource that was loaded meanwhile may have put there.

        Args:
            loads: How many resources were loaded so far.
        """
        with suppress(OSError):
            names = set(os.listdir(self._folder)) if self._folder else set()  # noqa: PTH208
            if loads != self._loads:
                self._loads = loads
                self._kept |= names
            for name in names - self._kept:
                path = Path(self._folder, name)
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove it."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
