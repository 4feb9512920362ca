"""Processes: how a worker is started, and how its end is noticed."""

import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from mediahost.executor.environ import worker_environment
from mediahost.executor.orphans import MARK_VARIABLE

# Not imported: what it loads is of use to a worker alone.
WORKER = Path(__file__).with_name("worker.py")


def start_worker(
    python: str,
    jobs: int,
    control: int,
    output: int,
    *how: str,
    variables: Collection[str] = (),
    mark: str = "",
) -> "subprocess.Popen[bytes]":
    """Start a worker on two sockets and a pipe, the leader of a session and group of its own.

    Args:
        python: The interpreter.
        jobs: Number of the socket for attempts and answers.
        control: Number of the socket for cancellations.
        output: Number of the pipe for what it writes.
        how: What else the worker is told, such as that its attempts share it.
        variables: What of the host's environment it gets besides the usual: names or patterns.
        mark: What the programs that it starts are known by.

    Raises:
        OSError: It can't be started.
    """
    # The host's own interpreter sees what the host sees (PYTHONPATH, user site), but never the
    # folder of the program; another environment sees only itself.
    isolation = "-P" if python == sys.executable else "-I"
    return subprocess.Popen(
        [python, isolation, WORKER, str(jobs), str(control), *how],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env={**worker_environment(variables), MARK_VARIABLE: mark},
        pass_fds=(jobs, control),
        # No terminal: a password prompt in some library must fail, not wait forever.
        start_new_session=True,
    )


def pidfd_of(pid: int) -> int | None:
    """What becomes readable when the process ends; None where there is no such thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
