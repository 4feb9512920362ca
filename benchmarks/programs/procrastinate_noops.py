"""Durable no-ops by procrastinate on Postgres: `submit NUMBER`, or `work` in two processes.

QUEUE is the database.
"""

import asyncio
import os
import sys

import noop_job
import procrastinate

queue = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=os.environ["QUEUE"]))


@queue.task(name="note")
async def note(number: int) -> None:
    """The job."""
    noop_job.run(number)


async def submit(number: int) -> None:
    """All at once."""
    async with queue.open_async():
        tables = "SELECT count(*) AS number FROM pg_tables WHERE tablename = 'procrastinate_jobs'"
        found = await queue.connector.execute_query_one_async(tables)
        if not found["number"]:
            await queue.schema_manager.apply_schema_async()
        await note.batch_defer_async(*({"number": each} for each in range(number)))


async def work() -> None:
    """Until SIGTERM."""
    async with queue.open_async():
        await queue.run_worker_async()


if __name__ == "__main__":
    if sys.argv[1] == "submit":
        asyncio.run(submit(int(sys.argv[2])))
    elif sys.argv[1] == "one":
        asyncio.run(work())
    else:
        noop_job.work_twice(__file__)
