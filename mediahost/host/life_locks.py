"""Life locks: files that living hosts hold locked, one in the data folder for each host.

The kernel lets go of a lock when its process ends, however it ends, and whatever name, machine or
process namespace it had. That is all that such a file says; what is in it does not matter.
"""

import fcntl
import os
from contextlib import suppress
from enum import Enum
from pathlib import Path

from mediahost.host.identity import id_of, shares_our_kernel
from mediahost.host.mounts import file_system_of, gives_events

FOLDER = "hosts"
# A file that is made but not locked yet; nobody judges it.
_NEW = ".new-"

# Of this process: who holds a lock here need not be asked about.
_held_here: set[str] = set()


class Lock(Enum):
    """What the lock of a host says of it."""

    HELD = "held"
    FREE = "free"
    SILENT = "silent"


class LifeLocks:
    """The locks in one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER
        self._is_local: bool | None = None

    def hold(self, name: str) -> "HeldLock":
        """Hold a host's lock until the process ends, or until `HeldLock.end`.

        Raises:
            OSError: The file can't be made.
        """
        own = id_of(name)
        if own is None:
            raise ValueError(name)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path, made = self._folder / own, self._folder / f"{_NEW}{own}"
        descriptor = os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with suppress(OSError):  # a file system without locks: the heartbeats must do
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        made.rename(path)
        return HeldLock(own, path, descriptor)

    def look(self, name: str) -> Lock:
        """What the lock of a host says; silent where there is none, or where it proves nothing.

        On a network drive another machine's lock may not be seen, so that only those of this kernel
        count.
        """
        own = id_of(name)
        if own is None:
            return Lock.SILENT
        if own in _held_here:
            return Lock.HELD
        try:
            lock = _look(self._folder / own)
        except OSError:
            return Lock.SILENT
        return lock if shares_our_kernel(name) or self._is_on_one_machine() else Lock.SILENT

    def is_let_go(self, name: str) -> bool:
        """Whether the host of that name surely doesn't run any more, by its lock alone."""
        return self.look(name) is Lock.FREE

    def sweep(self, keep: set[str]) -> None:
        """Remove the files of hosts that are gone, but for those of these names."""
        kept = {id_of(name) for name in keep}
        with suppress(OSError):
            for path in self._folder.iterdir():
                if path.name in kept or path.name.startswith(".") or path.name in _held_here:
                    continue
                if self._is_on_one_machine() and _look(path) is Lock.FREE:
                    path.unlink(missing_ok=True)

    def _is_on_one_machine(self) -> bool:
        if self._is_local is None:
            # What tells of all changes is written to by one kernel alone.
            self._is_local = gives_events(file_system_of(str(self._folder)))
        return self._is_local


class HeldLock:
    """A lock that this process holds."""

    def __init__(self, own: str, path: Path, descriptor: int) -> None:
        self._own, self._path, self._descriptor = own, path, descriptor
        _held_here.add(own)
        # Who is forked shares the lock, and would prove life after this process has ended.
        os.register_at_fork(after_in_child=self._close)

    def end(self) -> None:
        """Let go of the lock and remove the file."""
        self._path.unlink(missing_ok=True)
        self._close()
        _held_here.discard(self._own)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _look(path: Path) -> Lock:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return Lock.HELD
    finally:
        # Which lets go of the lock, too.
        os.close(descriptor)
    return Lock.FREE
