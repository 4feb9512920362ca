"""Durable no-ops by celery on Redis: `submit NUMBER`, or `work` in two processes.

A job is acknowledged when it has run, not when it is taken, which is celery's default and loses
more. Each naps for NAP_S seconds and notes its number in the file RAN; QUEUE is the database.
"""

import os
import sys
import time

from celery import Celery

NAP_S = float(os.environ["NAP_S"])
ran = os.open(os.environ["RAN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
queue = Celery("noops", broker=os.environ["QUEUE"])
queue.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)


@queue.task(name="note")
def note(number: int) -> None:
    """One write, so that several processes don't mix their lines."""
    if NAP_S:
        time.sleep(NAP_S)
    os.write(ran, b"%d\n" % number)


if __name__ == "__main__":
    if sys.argv[1] == "submit":
        for each in range(int(sys.argv[2])):
            note.delay(each)
    else:
        queue.worker_main(["worker", "--concurrency", "2", "--loglevel", "ERROR"])
