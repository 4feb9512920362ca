"""The reaper: a program that outlives its host by a moment, to end what the host leaves behind.

    python -I reaper.py < PIPE

Each line on its standard input names a process group: `+123` is a new one, `-123` is gone. When
the pipe closes, the host has ended, however it ended, and the reaper kills the groups that are
left: workers in which C code holds the GIL, and the programs that they run.

This file needs the standard library alone.
"""
# A worker doesn't ask the kernel to die with the host (PR_SET_PDEATHSIG): it would be gone
# before anybody could see which daemons it had adopted.

import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress


def children(pid: int) -> set[int]:
    """The processes that a process would have to wait for; none where there is no /proc."""
    found: set[int] = set()
    with suppress(OSError):
        # Without pathlib, which takes as long to load as all else that the reaper does.
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - see above
            with (
                suppress(OSError),  # a thread that ended meanwhile
                open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as listing,  # noqa: PTH123 - see above
            ):
                found.update(map(int, listing.read().split()))
    return found


def end_group(leader: int) -> None:
    """Kill a process group, and those descendants of its leader that have left it.

    Only before the leader has been waited for: afterwards its number may be somebody else's.
    """
    family = [leader]
    for member in family:
        family.extend(children(member))
    with suppress(OSError):
        os.killpg(leader, signal.SIGKILL)
    for member in family[1:]:
        with suppress(OSError):
            os.kill(member, signal.SIGKILL)


def groups_left(lines: Iterable[str]) -> set[int]:
    """The groups that are there once the lines end."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def main() -> None:
    """Wait for the host's end."""
    # Whoever ends the host with a signal to everybody must not end this one first.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    for group in groups_left(sys.stdin):
        end_group(group)


if __name__ == "__main__":
    main()
