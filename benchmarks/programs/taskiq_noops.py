"""Durable no-ops by taskiq on a Redis stream: `submit NUMBER`, or `work` in two processes.

Of taskiq's ways over Redis the stream is the one that acknowledges. QUEUE is the database.
"""

import asyncio
import os
import sys
from pathlib import Path

import noop_job
from taskiq_redis import RedisStreamBroker

queue = RedisStreamBroker(url=os.environ["QUEUE"])


@queue.task(task_name="note")
async def note(number: int) -> None:
    """The job."""
    noop_job.run(number)


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
