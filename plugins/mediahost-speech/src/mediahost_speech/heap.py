"""The C heap: buffers of 100 MB that Whisper needs again and again, kept while it reads.

glibc asks the system for each large buffer and gives it back at once, so that each of its pages is
cleared anew: a fifth of the CPU time of a transcription (docs/performance.md). Where the C library
is another one, nothing is changed.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

# <malloc.h>
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_DEFAULT_MMAPS = 65_536
_NEVER = 2**31 - 1


def share_heap() -> None:
    """Let threads that start from now on share one heap, else none of them can keep much."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 1)


@contextmanager
def kept_buffers() -> Iterator[None]:
    """Within this, what is freed is used again; afterwards it is given back to the system."""
    libc = ctypes.CDLL(None)
    if not (hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim")):
        yield
        return
    libc.mallopt(_M_TRIM_THRESHOLD, _NEVER)
    libc.mallopt(_M_MMAP_MAX, 0)
    try:
        yield
    finally:
        libc.mallopt(_M_MMAP_MAX, _DEFAULT_MMAPS)
        libc.malloc_trim(0)
