"""Who a host is: a random id of its own, and where the process runs that has it."""

import os
import secrets
import socket
from functools import cache
from pathlib import Path

_PARTS = 5
_NO_BOOT_ID = "-"
# Of a process that runs, when its start can't be seen.
_UNSEEN = "running"


def new_host_name() -> str:
    """A name for a host in this process: machine, kernel, process, its start, and a random id.

    The id alone is the identity. The rest says where the process runs, for people and for signals:
    containers share host names and process numbers.
    """
    pid = os.getpid()
    return "/".join((socket.gethostname(), _place(), str(pid), _started(pid), secrets.token_hex(8)))


def id_of(name: str) -> str | None:
    """The random id in a host's name; None if it is no host's name."""
    parts = name.split("/")
    is_name = len(parts) == _PARTS and parts[-1].isalnum()
    return parts[-1] if is_name else None


def shares_our_kernel(name: str) -> bool:
    """Whether the host of that name runs, or ran, on the kernel that this process runs on."""
    parts = name.split("/")
    boot = parts[1].partition(":")[0] if len(parts) == _PARTS else ""
    return boot == _boot_id() and boot != _NO_BOOT_ID


def process_of(name: str) -> int | None:
    """The number of the host's process, if it is there and can be sent signals from here."""
    parts = name.split("/")
    if len(parts) != _PARTS or parts[1] != _place() or not parts[2].isdecimal():
        return None
    pid = int(parts[2])
    return pid if _started(pid) in (parts[3], _UNSEEN) else None


def new_source_name(host: str) -> str:
    """A name for what one run submits; it says which host will claim that."""
    return f"run-{secrets.token_hex(4)}@{host}"


def host_of(source: str) -> str:
    """The host that will claim this source's jobs; empty if any may."""
    return source.partition("@")[2]


def _place() -> str:
    """The kernel and the process namespace in it: where a process number means one process."""
    try:
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:  # not Linux: there are no namespaces
        return _boot_id()
    return f"{_boot_id()}:{namespace}"


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:  # not Linux
        return _NO_BOOT_ID


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
