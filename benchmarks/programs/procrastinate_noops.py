"""Durable no-ops by procrastinate on Postgres: `submit NUMBER`, or `work` in two processes.

Each job naps for NAP_S seconds and notes its number in the file RAN; QUEUE is the database.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time

import procrastinate

NAP_S = float(os.environ["NAP_S"])
ran = os.open(os.environ["RAN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
queue = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=os.environ["QUEUE"]))


@queue.task(name="note")
async def note(number: int) -> None:
    """One write, so that several processes don't mix their lines."""
    # As a job that computes, which lets nobody else go on meanwhile.
    if NAP_S:
        time.sleep(NAP_S)  # noqa: ASYNC251 - see above
    os.write(ran, b"%d\n" % number)


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
        workers = [subprocess.Popen([sys.executable, __file__, "one"]) for _ in range(2)]
        signal.signal(signal.SIGINT, lambda *_: any(worker.terminate() for worker in workers))
        for worker in workers:
            worker.wait()
