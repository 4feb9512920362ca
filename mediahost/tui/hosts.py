"""Which hosts run on this machine, and starting one."""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mediahost.host.identity import is_gone

# What hosts say that the TUI started.
HOST_LOG = "host.log"

# What a host needs to be started by another program with the same Python.
PROGRAM = (sys.executable, "-c", "from mediahost.cli import main; main()")


def running_hosts(data_dir: Path) -> list[str]:
    """The names of the hosts that run jobs of this data folder: each has a staging folder there."""
    try:
        names = [entry.name.replace("+", "/") for entry in os.scandir(data_dir / "staging")]
    except OSError:
        return []
    return sorted(name for name in names if not is_gone(name))


def stop_host(name: str, number: int) -> None:
    """Send a host on this machine a signal; one that is gone meanwhile is no trouble."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(int(name.split("/")[2]), number)


def start_host(global_options: Sequence[str], data_dir: Path) -> subprocess.Popen[bytes]:
    """Start a host that goes on when this program ends; what it says goes to `host.log`.

    Raises:
        OSError: It can't be started.
    """
    with (data_dir / HOST_LOG).open("ab") as log:
        return subprocess.Popen(
            [*PROGRAM, *global_options, "work"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
