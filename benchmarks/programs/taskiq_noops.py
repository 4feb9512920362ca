"""Durable no-ops by taskiq on a Redis stream: `submit NUMBER`, or `work` in two processes.

Of taskiq's ways over Redis the stream is the one that acknowledges. Each job naps for NAP_S seconds
and notes its number in the file RAN; QUEUE is the database.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from taskiq_redis import RedisStreamBroker

NAP_S = float(os.environ["NAP_S"])
ran = os.open(os.environ["RAN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
queue = RedisStreamBroker(url=os.environ["QUEUE"])


@queue.task(task_name="note")
async def note(number: int) -> None:
    """One write, so that several processes don't mix their lines."""
    # As a job that computes, which lets nobody else go on meanwhile.
    if NAP_S:
        time.sleep(NAP_S)  # noqa: ASYNC251 - see above
    os.write(ran, b"%d\n" % number)


async def submit(number: int) -> None:
    """One by one."""
    await queue.startup()
    for each in range(number):
        await note.kiq(each)
    await queue.shutdown()


if __name__ == "__main__":
    if sys.argv[1] == "submit":
        asyncio.run(submit(int(sys.argv[2])))
    else:
        os.chdir(Path(__file__).parent)
        worker = [sys.executable, "-m", "taskiq", "worker", f"{Path(__file__).stem}:queue"]
        os.execv(sys.executable, [*worker, "--workers", "2"])  # noqa: S606 - no shell is wanted
