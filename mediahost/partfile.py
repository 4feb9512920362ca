"""Part files: what is written where a person looks is there whole, or not at all.

A part lies beside its target under a random name that nobody else can have, and is locked as long
as its writer lives. It takes the target's name in one step. This is the only door through which
the program writes at a person's path.
"""

import errno
import fcntl
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

_NAME = re.compile(r"\.mediahost-([0-9a-f]{8})-[0-9a-f]{16}\.part")

# The lock of a process on another machine may not be seen here, and a copy can stall.
QUIET_S = 86_400

# So many bytes of a name leave room for the rest of it, of the 255 that file systems take.
_ROOM = 200

# What file systems without hard links answer: FAT, many network drives.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}

# Of linux/fcntl.h and linux/fs.h.
_AT_FDCWD, _RENAME_NOREPLACE, _RENAME_EXCHANGE = -100, 1, 2
_NO_SUCH_RENAME = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTTY}


class PartFile:
    """A file that is being written, under a name of its own.

    Args:
        target: The path that it is written for; its folder must exist.
        private: Only the owner may read it.
        durable: Whether it outlasts a power cut; what can be made again need not.
        locked: Whether it is locked, and removed by a later call if this process dies. A program
            that locks the file itself, such as SQLite, needs one that is not.

    Attributes:
        path: Where it is now.
        file: Open for writing.

    Raises:
        OSError: It can't be made.
    """

    def __init__(
        self, target: Path, *, private: bool = False, durable: bool = True, locked: bool = True
    ) -> None:
        self.target = target
        self._is_durable = durable
        sweep_once(str(target.parent))
        mode = 0o600 if private else 0o666
        self.path, descriptor = _created(target.parent, mode, locked=locked)
        self.file: BinaryIO = os.fdopen(descriptor, "w+b")
        self._is_ours = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.discard()

    def sync(self) -> None:
        """Have all that was written on the disk, if that is wanted.

        Raises:
            OSError: It can't be.
        """
        self.file.flush()
        if self._is_durable:
            os.fsync(self.file.fileno())

    def keep_new(self, target: Path | None = None) -> Path:
        """Take the target's name, which nothing has yet; safe on the disk.

        Returns:
            The target.

        Raises:
            FileExistsError: Something has the name.
            OSError: It can't be written.
        """
        target = target or self.target
        self.sync()
        rename_new(self.path, target)
        self._let_go(target)
        return target

    def replace(self) -> Path:
        """Take the target's name from what has it; safe on the disk.

        Returns:
            The target.

        Raises:
            OSError: It can't be written.
        """
        self.sync()
        self.path.replace(self.target)
        self._let_go(self.target)
        return self.target

    def swap(self) -> bool:
        """Change places with the file at the target; False where the system can't.

        The part stays under its name, which is that of the other file from now on: it is left to
        the caller, who renames or removes it.

        Raises:
            OSError: It can't be done.
        """
        self.sync()
        aside = aside_of(self.target)
        rename_new(self.path, aside)
        self.path = aside
        if not _rename(aside, self.target, _RENAME_EXCHANGE):
            return False
        self._let_go(self.target)
        return True

    def discard(self) -> None:
        """Remove it, unless it has been kept."""
        if self._is_ours:
            self.path.unlink(missing_ok=True)
        self._is_ours = False
        # What can't be flushed now is not wanted.
        with suppress(OSError):
            self.file.close()

    def _let_go(self, target: Path) -> None:
        self._is_ours = False
        self.file.close()
        if self._is_durable:
            sync_folder(target.parent)


def aside_of(path: Path) -> Path:
    """A name beside a file for the moment before it goes; one that a person would recognise."""
    name = os.fsencode(path.name)[:_ROOM].decode("utf-8", "surrogateescape")
    return path.with_name(f".{name}.{secrets.token_hex(4)}.aside")


@contextmanager
def written(target: Path, *, private: bool = False, durable: bool = True) -> Iterator[BinaryIO]:
    """A file to write, that takes the target's name if nothing goes wrong.

    Args:
        target: What is there is replaced.
        private: Only the owner may read it.
        durable: Whether it outlasts a power cut; what can be made again need not.

    Raises:
        OSError: It can't be written.
    """
    with PartFile(target, private=private, durable=durable) as part:
        yield part.file
        part.replace()


def write_text(target: Path, text: str, *, private: bool = False, durable: bool = True) -> None:
    """Write a text in UTF-8, whole or not at all; the rest as `written`.

    Raises:
        OSError: It can't be written.
    """
    with written(target, private=private, durable=durable) as file:
        file.write(text.encode())


def rename_new(source: Path, target: Path) -> None:
    """Rename a file that is under a name of our own, unless something has the new name.

    Nobody else may give the old name to another file meanwhile.

    Raises:
        FileExistsError: Something has it.
        OSError: It can't be renamed.
    """
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    else:
        source.unlink()
        return
    if not _rename(source, target, _RENAME_NOREPLACE):
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC))
        source.replace(target)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk.

    Raises:
        OSError: They can't be.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network drives know no such thing for folders.
        if error.errno not in {errno.EINVAL, errno.EOPNOTSUPP, errno.EBADF, errno.ENOSYS}:
            raise
    finally:
        os.close(descriptor)


@lru_cache(maxsize=1024)
def sweep_once(folder: str) -> None:
    """Remove what calls that died have left half-written in a folder; once a process."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _NAME.fullmatch(entry.name)
            if match:
                _sweep(entry.path, is_of_this_boot=match[1] == _boot())


def _sweep(path: str, *, is_of_this_boot: bool) -> None:
    """Remove a part if its writer is gone for sure: its lock is free, and it could be seen here."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            status = os.fstat(descriptor)
            quiet_s = time.time() - status.st_mtime
            # Under the lock: by now the name may be another file's.
            if (is_of_this_boot or quiet_s > QUIET_S) and _is_at(status, path):
                Path(path).unlink()
        finally:
            os.close(descriptor)


def _created(folder: Path, mode: int, *, locked: bool) -> tuple[Path, int]:
    """A new file that is there and, if wanted, locked by this process alone."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    suffix = ".part" if locked else ".aside"
    while True:
        path = folder / f".mediahost-{_boot()}-{secrets.token_hex(8)}{suffix}"
        descriptor = os.open(path, flags, mode)
        if not locked or _locks(descriptor, path):
            return path, descriptor
        os.close(descriptor)


def _locks(descriptor: int, path: Path) -> bool:
    """Lock a new file, unless another process was there first and is about to sweep it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks: nobody else can lock it either, so nobody sweeps it.
        return True
    return _is_at(os.fstat(descriptor), str(path))


def _is_at(status: os.stat_result, path: str) -> bool:
    try:
        there = os.lstat(path)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (status.st_dev, status.st_ino)


@cache
def _boot() -> str:
    """Names the kernel that runs now: all its processes see each other's locks."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:  # not Linux
        boot = socket.gethostname().encode()
    return sha256(boot).hexdigest()[:8]


def _rename(source: Path, target: Path, how: int) -> bool:
    """Rename with a flag of renameat2(2); False where system or file system don't know it."""
    # Loaded here: most calls of the program rename nothing.
    import ctypes  # noqa: PLC0415 - see above

    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    ends = (os.fsencode(source), os.fsencode(target))
    if renameat2(_AT_FDCWD, ends[0], _AT_FDCWD, ends[1], how) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NO_SUCH_RENAME:
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))
