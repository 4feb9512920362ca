"""Mounts: which file system a folder lies on, and whether that one tells of changes."""

import os
from pathlib import Path

# Changes that another machine, or the program behind the mount, makes are not announced here
# (inotify(7), "Limitations and caveats").
WITHOUT_EVENTS = (
    "nfs",
    "cifs",
    "smb",
    "fuse",
    "9p",
    "virtiofs",
    "afs",
    "ceph",
    "gluster",
    "vboxsf",
)

_BETWEEN_MACHINES = ("nfs", "cifs", "smb", "afs", "ceph", "gluster", "fuse.sshfs", "fuse.glusterfs")

# Local, though served by a program: it announces what passes through this machine.
_WITH_EVENTS = frozenset({"fuseblk"})


def file_system_of(folder: str) -> str:
    """The name of the file system type, such as `ext4` or `nfs4`; empty if it can't be told."""
    real = os.path.realpath(folder)
    best, kind = "", ""
    try:
        lines = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    for line in lines:
        # proc(5): ... mount point (octal escapes) ... - type source options
        before, _, after = line.partition(" - ")
        point = _unescaped(before.split(" ")[4])
        inside = point in ("/", real) or real.startswith(point + "/")
        if inside and len(point) >= len(best):
            best, kind = point, after.split(" ")[0]
    return kind


def gives_events(file_system: str) -> bool:
    """Whether the kernel announces all changes on such a file system."""
    if file_system in _WITH_EVENTS:
        return True
    return not file_system.startswith(WITHOUT_EVENTS)


def is_shared(file_system: str) -> bool:
    """Whether other machines may write to such a file system, so that locks prove little."""
    return file_system.startswith(_BETWEEN_MACHINES)


def _unescaped(point: str) -> str:
    for code in ("040", "011", "012", "134"):
        point = point.replace(f"\\{code}", chr(int(code, 8)))
    return point
