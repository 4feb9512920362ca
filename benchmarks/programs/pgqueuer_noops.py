"""Durable no-ops by pgqueuer on Postgres: `submit NUMBER`, or `work` in two processes.

QUEUE is the database, BATCH how many jobs are submitted, taken and said to be done at a time.
"""

import asyncio
import os
import signal
import sys

import asyncpg
import noop_job
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

BATCH = int(os.environ["BATCH"])


async def submit(number: int) -> None:
    """In batches."""
    connection = await asyncpg.connect(os.environ["QUEUE"])
    queries = Queries(AsyncpgDriver(connection))
    if not await queries.schema_is_installed():
        await queries.install()
    for start in range(0, number, BATCH):
        batch = [b"%d" % each for each in range(start, min(start + BATCH, number))]
        await queries.enqueue(["note"] * len(batch), batch, [0] * len(batch))
    await connection.close()


async def work() -> None:
    """Until SIGTERM."""
    connection = await asyncpg.connect(os.environ["QUEUE"])
    queue = PgQueuer.from_asyncpg_connection(connection)

    @queue.entrypoint("note")
    async def note(job: Job) -> None:
        noop_job.run(int(job.payload or b""))

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, queue.shutdown.set)
    await queue.run(batch_size=BATCH)


if __name__ == "__main__":
    if sys.argv[1] == "submit":
        asyncio.run(submit(int(sys.argv[2])))
    elif sys.argv[1] == "one":
        asyncio.run(work())
    else:
        noop_job.work_twice(__file__)
