"""Which hosts run on this machine, and starting one."""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mediahost.host.identity import process_of
from mediahost.model.hosts import HostView

# Several heartbeats have failed to come by then.
SILENT_S = 30.0

# What hosts say that the TUI started.
HOST_LOG = "host.log"

# What a host needs to be started by another program with the same Python. -P: modules of the
# working folder are a stranger's.
PROGRAM = (sys.executable, "-P", "-c", "from mediahost.cli import main; main()")


def is_heard(view: HostView) -> bool:
    """Whether a host surely or probably runs."""
    return not view.is_gone and view.silent_s < SILENT_S


def is_here(view: HostView) -> bool:
    """Whether a host is a process that can be sent signals from here: not one of a container."""
    return process_of(view.heartbeat.host) is not None


def stop_host(name: str, number: int) -> None:
    """Send a host on this machine a signal; one that is gone meanwhile is no trouble."""
    pid = process_of(name)
    if pid is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


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
