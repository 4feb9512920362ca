"""What the programs of no-ops share: the job itself, and two processes that work.

A job naps for NAP_S seconds and notes its number in the file RAN.
"""

import os
import signal
import subprocess
import sys
import time

_NAP_S = float(os.environ["NAP_S"])
_RAN = os.open(os.environ["RAN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def run(number: int) -> None:
    """Run the job, as one that computes does: nobody else in the process goes on meanwhile."""
    if _NAP_S:
        time.sleep(_NAP_S)
    # One write, so that several processes don't mix their lines.
    os.write(_RAN, b"%d\n" % number)


def work_twice(program: str) -> None:
    """Run `PROGRAM one` in two processes, until they are interrupted."""
    workers = [subprocess.Popen([sys.executable, program, "one"]) for _ in range(2)]
    signal.signal(signal.SIGINT, lambda *_: any(worker.terminate() for worker in workers))
    for worker in workers:
        worker.wait()
