"""Durable no-ops by celery on Redis: `submit NUMBER`, or `work` in two processes.

A job is acknowledged when it has run, not when it is taken, which is celery's default and loses
more. QUEUE is the database.
"""

import os
import sys

import noop_job
from celery import Celery

queue = Celery("noops", broker=os.environ["QUEUE"])
queue.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)


@queue.task(name="note")
def note(number: int) -> None:
    """The job."""
    noop_job.run(number)


if __name__ == "__main__":
    if sys.argv[1] == "submit":
        for each in range(int(sys.argv[2])):
            note.delay(each)
    else:
        queue.worker_main(["worker", "--concurrency", "2", "--loglevel", "ERROR"])
