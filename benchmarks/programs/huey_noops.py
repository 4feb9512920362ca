"""Durable no-ops by huey on SQLite, each commit written through: `submit NUMBER`, or `work`.

Each job naps for NAP_S seconds and notes its number in the file RAN; the queue is the file QUEUE.
"""

import os
import sys
import time

from huey import SqliteHuey

queue = SqliteHuey(filename=os.environ["QUEUE"], fsync=True)
NAP_S = float(os.environ["NAP_S"])
ran = os.open(os.environ["RAN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


@queue.task()
def note(number: int) -> None:
    """One write, so that several processes don't mix their lines."""
    if NAP_S:
        time.sleep(NAP_S)
    os.write(ran, b"%d\n" % number)


if __name__ == "__main__":
    if sys.argv[1] == "submit":
        for each in range(int(sys.argv[2])):
            note(each)
    else:
        queue.create_consumer(workers=2, worker_type="process", periodic=False).run()
