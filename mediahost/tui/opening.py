"""Opening a file with the program that the desktop has for it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from mediahost.model.paths import display


def open_outside(path: Path) -> str:
    """Open a file; returns what to tell the person."""
    opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if not path.exists():
        return f"{display(path)} is gone"
    has_desktop = sys.platform == "darwin" or os.environ.get("DISPLAY")
    if opener is None or not (has_desktop or os.environ.get("WAYLAND_DISPLAY")):
        return f"There is no desktop to open it with: {display(path)}"
    subprocess.Popen(
        [opener, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return f"Opening {display(path)}"
