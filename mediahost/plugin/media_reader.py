"""A media file opened for reading, so that an error of the disk never passes for the file's end.

Decoders take a failed read for the end of the file, or for damage in it, and say so in their own
words. So they are given a reader that remembers what failed, and is asked afterwards.
"""

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mediahost.errors import InvalidMedia, MediahostError, TransientError
from mediahost.model.paths import display
from mediahost.plugin.damage import unreadable

# Errors of the request, which another attempt would meet again; all others may pass.
_LASTING = frozenset(
    {errno.EACCES, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO, errno.EPERM}
)
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR})
_TRY_LATER = "The disk, the network or the server failed. Run it again when the file is readable."


class MediaReader(io.RawIOBase):
    """A regular media file, opened for reading in binary mode; a context manager.

    Give it to a decoder in place of the path, and put `guarded` around the decoder's work.

    Attributes:
        name: The path as text, from which some decoders guess the format.
        path: Where the file is.
        size: Bytes when it was opened.
        failure: The error that broke reading off; from then on the file seems to be at its end, for
            decoders that read on after an error report each one.

    Raises:
        InvalidMedia: It is no regular file, it is empty, or it may not be read.
        TransientError: The disk or the network failed.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.name = os.fspath(path)
        self.failure: TransientError | None = None
        self._at = 0
        self._descriptor, self.size = _opened(path)

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; b"" at the end of the file, and after an error.

        Raises:
            TransientError: Reading failed, or the file became shorter.
        """
        if self.failure is not None:
            return b""
        if size < 0:
            return self.readall()
        try:
            data = os.read(self._descriptor, size)
        except OSError as error:
            raise self._failed(os.strerror(error.errno or 0)) from error
        self._at += len(data)
        if size and not data and self._at < self.size:
            raise self._failed("it became shorter while it was read")
        return data

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer as far as one read does."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place in the file, in bytes."""
        try:
            self._at = os.lseek(self._descriptor, offset, whence)
        except OSError as error:
            if error.errno == errno.EINVAL:
                raise  # a place before the beginning: the decoder's mistake
            raise self._failed(os.strerror(error.errno or 0)) from error
        return self._at

    def tell(self) -> int:
        """Where the next read begins, in bytes."""
        return self._at

    def close(self) -> None:
        """Let go of the file."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()

    def fileno(self) -> int:
        """Not given: what reads past this reader reads past its check.

        Raises:
            OSError: Always, as of a file without a descriptor.
        """
        raise io.UnsupportedOperation("fileno")

    def check(self) -> None:
        """Make sure that no read has failed, even where the decoder hid it.

        Raises:
            TransientError: One has.
        """
        if self.failure is not None:
            raise self.failure

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Around a decoder's work: what goes wrong is the file's fault, unless reading failed.

        Raises:
            InvalidMedia: The decoder raised an error of any type, as they do on damaged files.
            TransientError: Reading failed, whether or not the decoder noticed.
        """
        try:
            yield
        except MediahostError:
            raise
        except Exception as error:
            self.check()
            raise unreadable(self.path) from error
        self.check()

    def _failed(self, reason: str) -> TransientError:
        self.failure = TransientError(
            f"{display(self.path.name)} can't be read to its end: {reason}", _TRY_LATER
        )
        return self.failure


def _opened(path: Path) -> tuple[int, int]:
    """A descriptor of the regular file and its size in bytes."""
    name = display(path.name)
    try:
        # A FIFO is opened without anything to write to it, and then refused.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unopened(name, error) from error
    try:
        return descriptor, _size_of(os.fstat(descriptor), name)
    except BaseException:
        os.close(descriptor)
        raise


def _size_of(status: os.stat_result, name: str) -> int:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
        raise InvalidMedia(f"{name} is {kind}, not a media file")
    if not status.st_size:
        raise InvalidMedia(f"{name} is empty")
    return status.st_size


def _unopened(name: str, error: OSError) -> MediahostError:
    if error.errno in _GONE:
        return InvalidMedia(f"There is no file {name}")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return InvalidMedia(f"{name} may not be read", "Give yourself the permission.")
    reason = os.strerror(error.errno or 0)
    if error.errno in _LASTING:
        return InvalidMedia(f"{name} can't be opened: {reason}")
    return TransientError(f"{name} can't be opened: {reason}", _TRY_LATER)
