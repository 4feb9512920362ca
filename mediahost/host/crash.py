"""Crash points: labelled places where tests have the host die, as by `kill -9`.

MEDIAHOST_CRASH_AT names one, `committed` or `committed:3` for the third time that it is reached.
Only tests set it. Unset, a point costs one comparison.
"""

import os
import signal

LABELS = (
    "before the claim",
    "claimed",
    "started",
    "ran",
    "renamed",
    "committed",
    "publishing",
    "published",
)

_label, _, _times = os.environ.get("MEDIAHOST_CRASH_AT", "").partition(":")
_left = [int(_times or 1)]


def crash_point(label: str) -> None:
    """Die here if a test says so: no handler runs, nothing is flushed."""
    if label == _label:
        _left[0] -= 1
        if not _left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
