"""The worker: a program that runs attempts for the host that started it.

    python -I worker.py JOBS CONTROL [shared]

Both are the numbers of inherited sockets. Over JOBS come attempts and go answers; over CONTROL
come cancellations. When JOBS ends, the worker ends in order; when CONTROL ends, the host is gone,
and the worker ends itself and its whole group at once. It runs one attempt at a time; a shared one
runs all that come at once, each on a thread.

At module level this file needs the standard library alone, so that any interpreter can run it;
what it imports then is light (a test holds it to that).
"""

import ctypes
import faulthandler
import gc
import io
import os
import sys
from contextlib import suppress

# <linux/prctl.h>
_PR_SET_CHILD_SUBREAPER = 36

SHARED = "shared"

_LINE_BUFFERED = 1  # _IOLBF of <stdio.h>, the same in glibc, musl and macOS


def main() -> None:
    """Run the worker."""
    jobs, control = map(int, sys.argv[1:3])
    for descriptor in (jobs, control):
        # No program that an attempt starts may speak for the worker, or keep it looking alive.
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - it takes no keywords
    # What is loaded now is no garbage; `loaded_plugins` has the collector look from then on.
    gc.disable()
    _adopt_orphans()
    _speak_in_lines()
    # A segmentation fault leaves the line of Python that led to it in the job's log.
    faulthandler.enable()

    if sys.argv[3:] == [SHARED]:
        from mediahost.executor.shared_shift import SharedShift  # noqa: PLC0415 - as below

        SharedShift(jobs, control).work()
        return
    from mediahost.executor.shift import Shift  # noqa: PLC0415 - see the module's docstring

    Shift(jobs, control).work()


def _adopt_orphans() -> None:
    """Adopt orphans: what an attempt made a daemon is ended with the attempt too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _speak_in_lines() -> None:
    """Let output reach the job's log line by line, from Python and from C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    with suppress(OSError, ValueError, AttributeError):
        library = ctypes.CDLL(None)
        name = "__stdoutp" if sys.platform == "darwin" else "stdout"
        library.setvbuf(ctypes.c_void_p.in_dll(library, name), None, _LINE_BUFFERED, 0)


if __name__ == "__main__":
    main()
