"""Who a host is, so that others can tell when it is gone."""

import os
import secrets
import socket
from functools import cache
from pathlib import Path

# Of a process that runs, when its start can't be seen.
_UNSEEN = "running"


def new_host_name() -> str:
    """A name for a host in this process: machine, boot, process, its start, and a nonce.

    With the boot and the start a process id says for sure whether the process still runs; the
    bare number is given to others in time.
    """
    pid = os.getpid()
    return "/".join(
        (socket.gethostname(), _boot_id(), str(pid), _started(pid), secrets.token_hex(4))
    )


def is_gone(name: str) -> bool:
    """Whether the host surely doesn't run any more.

    Of another machine's hosts nothing is known here: their leases decide.
    """
    parts = name.split("/")
    if len(parts) != 5 or parts[0] != socket.gethostname():  # noqa: PLR2004 - see new_host_name
        return False
    _, boot, pid, started, _ = parts
    their_boot, _, their_space = boot.partition(":")
    my_boot, _, my_space = _boot_id().partition(":")
    if their_boot == my_boot and their_space and their_space != my_space:
        return False  # a container's numbers mean other processes here
    return their_boot != my_boot or _started(int(pid)) not in (started, _UNSEEN)


def new_source_name(host: str) -> str:
    """A name for what one run submits; it says which host will claim that."""
    return f"run-{secrets.token_hex(4)}@{host}"


def is_abandoned(source: str) -> bool:
    """Whether the host that would claim this source's jobs surely doesn't run any more."""
    return is_gone(source.partition("@")[2])


@cache
def _boot_id() -> str:
    """The boot, and behind a colon the space that process ids are counted in, as of a container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:  # not Linux: a process id alone must do
        return "-"


def _started(pid: int) -> str:
    """When the process started, in clock ticks since the boot; empty if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except FileNotFoundError:
        # Not Linux, or another user's process where those are hidden (hidepid of proc(5)).
        return _UNSEEN if is_running(pid) else ""
    except ProcessLookupError:
        return ""
    # The second field, the program's name, may hold spaces and parentheses (proc(5)).
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def is_running(pid: int) -> bool:
    """Whether a process of this machine has this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
