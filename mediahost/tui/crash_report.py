"""What is kept of a fault of the TUI's own, for whoever is to mend it."""

import platform
import traceback
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from textual.geometry import Size
from textual.worker import WorkerFailed

FOLDER = "crashes"


def write_report(error: BaseException, data_dir: Path, size: Size) -> Path | None:
    """Write where it happened; returns the file, or None if it can't be written.

    It holds no values of variables: these may be anybody's names, texts and passwords.
    """
    if isinstance(error, WorkerFailed):
        error = error.error
    now = datetime.now(UTC)
    told = (
        f"mediahost {version('mediahost')}, textual {version('textual')},"
        f" Python {platform.python_version()}, {platform.platform()}\n"
        f"{now.isoformat(timespec='seconds')}, a terminal of {size.width}x{size.height}\n\n"
        f"{''.join(traceback.format_exception(error))}"
    )
    path = data_dir / FOLDER / f"tui-{now:%Y%m%dT%H%M%S%f}.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(told, "utf-8")
    except OSError:
        return None
    return path
