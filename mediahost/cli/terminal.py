"""What the terminal can show decides what one sees while jobs run."""

import os
import sys

from mediahost.cli.progress import Lines, Watcher


def progress_on_stderr(*, quiet: bool = False, idle: str = "looking for media files") -> Watcher:
    """One that fits what standard error is; `idle` is what it says while nothing happens."""
    if quiet:
        return Watcher()
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from mediahost.cli.bars import Bars

        return Bars(idle)
    return Lines(sys.stderr)
