"""Writers: does any process have a file open for writing?"""

import errno
import fcntl
import os
import signal
import sys
from enum import StrEnum

# What the kernel answers where it can't say: another user's file, a file system without leases.
_UNKNOWN = {errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}


class Writers(StrEnum):
    """Whether somebody may be writing a file."""

    NONE = "none"
    SOME = "some"
    UNKNOWN = "unknown"


def writers_of(path: str) -> Writers:
    """Whether somebody has the file open, or mapped, for writing.

    Linux refuses a read lease on a file that is open for writing (fcntl(2), "Leases"); it is
    asked for and given back at once. A program that opens the file in those microseconds waits
    for that, and the signal that announces it is set to one that is ignored.

    Raises:
        OSError: The file can't be opened.
    """
    if sys.platform != "linux":
        return Writers.UNKNOWN
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        if error.errno == errno.EAGAIN:
            return Writers.SOME
        if error.errno in _UNKNOWN:
            return Writers.UNKNOWN
        raise
    finally:
        os.close(descriptor)
    return Writers.NONE
