"""Durable no-ops by huey on SQLite, each commit written through: `submit NUMBER`, or `work`.

The queue is the file QUEUE.
"""

import os
import sys

import noop_job
from huey import SqliteHuey

queue = SqliteHuey(filename=os.environ["QUEUE"], fsync=True)


@queue.task()
def note(number: int) -> None:
    """The job."""
    noop_job.run(number)


if __name__ == "__main__":
    if sys.argv[1] == "submit":
        for each in range(int(sys.argv[2])):
            note(each)
    else:
        queue.create_consumer(workers=2, worker_type="process", periodic=False).run()
