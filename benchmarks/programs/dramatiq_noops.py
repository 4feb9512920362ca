"""Durable no-ops by dramatiq on Redis: `submit NUMBER`, or `work` in two processes.

Each job naps for NAP_S seconds and notes its number in the file RAN; QUEUE is the database.
"""

import os
import sys
import time
from pathlib import Path

import dramatiq
from dramatiq.brokers.redis import RedisBroker

NAP_S = float(os.environ["NAP_S"])
ran = os.open(os.environ["RAN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
dramatiq.set_broker(RedisBroker(url=os.environ["QUEUE"]))


@dramatiq.actor(actor_name="note")
def note(number: int) -> None:
    """One write, so that several processes don't mix their lines."""
    if NAP_S:
        time.sleep(NAP_S)
    os.write(ran, b"%d\n" % number)


if __name__ == "__main__":
    if sys.argv[1] == "submit":
        for each in range(int(sys.argv[2])):
            note.send(each)
    else:
        os.chdir(Path(__file__).parent)
        options = ["--processes", "2", "--threads", "1"]
        program = [sys.executable, "-m", "dramatiq", Path(__file__).stem, *options]
        os.execv(sys.executable, program)  # noqa: S606 - no shell is wanted
