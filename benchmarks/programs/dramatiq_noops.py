"""Durable no-ops by dramatiq on Redis: `submit NUMBER`, or `work` in two processes.

QUEUE is the database.
"""

import os
import sys
from pathlib import Path

import dramatiq
import noop_job
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=os.environ["QUEUE"]))


@dramatiq.actor(actor_name="note")
def note(number: int) -> None:
    """The job."""
    noop_job.run(number)


if __name__ == "__main__":
    if sys.argv[1] == "submit":
        for each in range(int(sys.argv[2])):
            note.send(each)
    else:
        os.chdir(Path(__file__).parent)
        options = ["--processes", "2", "--threads", "1"]
        program = [sys.executable, "-m", "dramatiq", Path(__file__).stem, *options]
        os.execv(sys.executable, program)  # noqa: S606 - no shell is wanted
