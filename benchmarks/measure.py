"""Measuring: CPU and wall time of whole processes and of functions, as medians.

CPU time is what to judge by: on a machine that is shared, wall time tells of the neighbours.
"""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

REPEAT = 5

Argv = Sequence[str | Path]


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took: seconds by the clock, and seconds of CPU."""

    wall_s: float
    cpu_s: float


def command(
    argv: Argv,
    *,
    repeat: int = REPEAT,
    environ: dict[str, str] | None = None,
    cwd: Path | None = None,
    before: Callable[[], None] = lambda: None,
) -> Cost:
    """The median cost of a program with all the processes that it waits for.

    It is called once more beforehand, so that caches are warm and Python is compiled.

    Args:
        argv: The program and its arguments.
        repeat: How often it is measured.
        environ: Variables to set besides those of this process.
        cwd: Where to call it.
        before: Done before each call, not measured.

    Raises:
        RuntimeError: It failed.
    """
    costs = []
    for _ in range(repeat + 1):
        before()
        costs.append(_call(argv, environ or {}, cwd))
    return _median(costs[1:])


def once(argv: Argv, *, environ: dict[str, str] | None = None) -> Cost:
    """The cost of one call, for what can't be done twice.

    Raises:
        RuntimeError: It failed.
    """
    return _call(argv, environ or {}, None)


def function(call: Callable[[], object], *, repeat: int = REPEAT) -> Cost:
    """The median cost of a call in this process, all its threads included."""
    costs = []
    for _ in range(repeat + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        costs.append(Cost(time.perf_counter() - wall, time.process_time() - cpu))
    return _median(costs[1:])


def _call(argv: Argv, environ: dict[str, str], cwd: Path | None) -> Cost:
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in argv],
        env=environment() | environ,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    # Read to its end before waiting: a full pipe would stop the program.
    said = process.stderr.read() if process.stderr else b""
    # wait4 tells the costs of this child and of all that it has waited for.
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))} failed: {said.decode(errors='replace')}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)


def environment() -> dict[str, str]:
    """This process's, for programs that are measured."""
    # Otherwise every start would compile all that it imports.
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(median(cost.wall_s for cost in costs), median(cost.cpu_s for cost in costs))
