"""Orphans: programs that have left their worker's group, and outlive it when it is killed.

A worker that ends in order ends them itself. Of one that is killed they get another parent: the
host, which makes itself the subreaper of its descendants (Linux). Others of its children may be
its own affair or that of a program that embeds it, so each orphan is known by what it got from its
worker: a variable with the worker's mark, or the pipe that the worker writes to. One that has
given up both outlives its worker, as all do where there is no /proc.
"""

import ctypes
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from mediahost.executor.reaper import children

_logger = logging.getLogger("mediahost.executor")

MARK_VARIABLE = "MEDIAHOST_WORKER"

# <linux/prctl.h>
_PR_SET_CHILD_SUBREAPER = 36

# Each round ends a generation; only a fork bomb needs this many.
_ROUNDS = 100
# A process that SIGKILL doesn't end at once hangs in the kernel: it isn't waited for any longer.
_END_S = 0.5


@cache
def become_subreaper() -> None:
    """Get the orphans of this process's descendants, from now on; once, and only on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_orphans(mark: str, pipe: int, apart: int) -> int:
    """End what a worker has left behind, once it is dead; how many programs that were.

    Args:
        mark: The worker's, in the environment of what it started.
        pipe: Inode of the pipe that it wrote to.
        apart: The worker itself, which somebody else waits for.
    """
    ended: set[int] = set()
    for _ in range(_ROUNDS):
        found = {
            pid
            for pid in children(os.getpid()) - {apart}
            if pid not in ended and _is_of(pid, mark, pipe)
        }
        if not found:
            break
        for pid in found:
            _end_family(pid)
        ended |= found
    for pid in ended:
        _wait_for(pid)
    if ended:
        _logger.warning("%d programs of a worker that died were ended", len(ended))
    return len(ended)


def _is_of(pid: int, mark: str, pipe: int) -> bool:
    folder = Path("/proc", str(pid))
    with suppress(OSError):
        if f"{MARK_VARIABLE}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
            return True
    for number in ("1", "2"):
        with suppress(OSError):
            if os.readlink(folder / "fd" / number) == f"pipe:[{pipe}]":  # noqa: PTH115 - no path
                return True
    return False


def _end_family(pid: int) -> None:
    """Kill a program and all that it has started; stopped first, it starts nothing meanwhile."""
    family = [pid]
    for member in family:
        with suppress(OSError):
            os.kill(member, signal.SIGSTOP)
        family.extend(children(member))
    for member in reversed(family):
        with suppress(OSError):
            os.kill(member, signal.SIGKILL)


def _wait_for(pid: int) -> None:
    ends_at = time.monotonic() + _END_S
    with suppress(ChildProcessError):
        while not os.waitpid(pid, os.WNOHANG)[0] and time.monotonic() < ends_at:
            time.sleep(0.001)
