"""Engine: durable no-ops through two workers, beside other queues, and what a kill -9 loses."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

from benchmarks import peers, servers
from benchmarks.corpus import WORK
from benchmarks.queues import OURS, PEERS, Peer, Queue
from benchmarks.report import Report
from benchmarks.servers import Server

TITLE = (
    "Engine: {jobs:,} durable no-ops submitted and done by two workers (slow queues: a fifth of\n"
    "them), and {killed} jobs of {nap:g} ms, killed with SIGKILL in the middle and started again.\n"
    "Lost is what has not run {patience:g} s later; of that dramatiq tries some again after a\n"
    "minute, taskiq after ten, celery after an hour"
)
HEAD = (
    "queue",
    "jobs/s",
    "CPU µs/job",
    "its server's",
    "lost",
    "repeated",
    "done after",
    "kept in",
)
KEPT_IN = {
    "sqlite": "SQLite, each commit written through",
    "postgres": "Postgres, each commit written through",
    "redis": "Redis, written through each second",
}

JOBS_A_SECOND = 12_000
CPU_US_A_JOB = 90
RECOVERED_S = 2.0
JOBS_AT_A_KILL = 200
NAP_S = 0.005
# Some queues try again what a dead worker had only after half a minute.
RECOVERY_S = 45.0
ROUNDS = 3
WORKERS = 2


@dataclass(frozen=True, slots=True)
class Speed:
    """Jobs a second, and µs of CPU for each, in its own processes and in its server's."""

    jobs_s: float
    cpu_us: float
    server_us: float


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of the jobs after a kill.

    Attributes:
        before: How many had run.
        lost: How many never ran to their end.
        repeated: How many ran again.
        seconds: From the new start until all had run, or until nobody waited any longer.
    """

    before: int
    lost: int
    repeated: int
    seconds: float


def measure(*, quick: bool) -> Report:
    """Throughput and CPU of each queue, then a kill in the middle."""
    peers.install()
    jobs = 1000 if quick else 5000
    title = TITLE.format(jobs=jobs, killed=JOBS_AT_A_KILL, nap=NAP_S * 1000, patience=RECOVERY_S)
    report = Report("engine", title)
    shutil.rmtree(WORK / "engine-speed", ignore_errors=True)
    shutil.rmtree(WORK / "engine-kill", ignore_errors=True)
    with _servers() as running:
        present = [
            peer for peer in (OURS, *PEERS) if running[peer.server] or peer.server == "sqlite"
        ]
        speeds = _speeds(present, running, jobs, rounds=1 if quick else ROUNDS)
        ours = _killed(Queue(OURS, "kill", None, NAP_S), report)
        recoveries = {OURS: ours, **_all_killed(present[1:], running)}
    report.head = HEAD
    for peer in (OURS, *PEERS):
        if peer in speeds:
            report.row(*_row(peer, speeds[peer], recoveries[peer]))
        else:
            report.row(peer.name, *["skipped"] * 6, f"there is no {peer.server} here")
    fastest = max(speed.jobs_s for peer, speed in speeds.items() if peer is not OURS)
    report.at_least(
        f"ahead of the fastest peer here ({fastest:,.0f} jobs/s)",
        speeds[OURS].jobs_s,
        fastest,
        "jobs/s",
    )
    report.at_least("at least 12,000 jobs a second", speeds[OURS].jobs_s, JOBS_A_SECOND, "jobs/s")
    report.at_most("at most 90 µs of CPU a job", speeds[OURS].cpu_us, CPU_US_A_JOB, "µs")
    return report


@contextmanager
def _servers() -> Iterator[dict[str, Server | None]]:
    databases = [
        f"{peer.database}_{purpose}"
        for peer in PEERS
        for purpose in ("speed", "kill")
        if peer.server == "postgres"
    ]
    with ExitStack() as stack:
        running: dict[str, Server | None] = {"sqlite": None, "postgres": None, "redis": None}
        running["postgres"] = stack.enter_context(servers.postgres(databases))
        running["redis"] = stack.enter_context(servers.redis())
        for name in ("postgres", "redis"):
            if running[name] is None:
                print(f"There is no {name} here: its queues are skipped", file=sys.stderr)
        yield running


def _speeds(
    present: Sequence[Peer], running: dict[str, Server | None], jobs: int, rounds: int
) -> dict[Peer, Speed]:
    """In rounds, so that who works on this machine meanwhile disturbs all of them."""
    queues = [Queue(peer, "speed", running[peer.server]) for peer in present]
    measured: dict[Peer, list[Speed]] = {queue.peer: [] for queue in queues}
    for queue in queues:
        # Its tables are made, its modules compiled, its caches warm.
        queue.submit(1)
        queue.work(1)
    for number in range(rounds):
        for queue in queues:
            if queue.peer.slow and number:
                continue
            share = jobs // 5 if queue.peer.slow else jobs
            measured[queue.peer].append(_speed(queue, share))
    return {
        peer: Speed(
            median(one.jobs_s for one in speeds),
            median(one.cpu_us for one in speeds),
            median(one.server_us for one in speeds),
        )
        for peer, speeds in measured.items()
    }


def _speed(queue: Queue, jobs: int) -> Speed:
    """What many jobs take, less what one for each worker takes: programs start and end as well."""
    few, many = _costs(queue, WORKERS), _costs(queue, jobs + WORKERS)
    wall, own, server = (much - little for much, little in zip(many, few, strict=True))
    return Speed(jobs / wall, own / jobs * 1e6, server / jobs * 1e6)


def _costs(queue: Queue, jobs: int) -> tuple[float, float, float]:
    """Seconds: by the clock, of its own CPU, of its server's."""
    before = queue.server.cpu_s() if queue.server else 0.0
    submitted, worked = queue.submit(jobs), queue.work(jobs)
    after = queue.server.cpu_s() if queue.server else 0.0
    wall = submitted.wall_s + worked.wall_s
    return wall, submitted.cpu_s + worked.cpu_s, after - before


def _all_killed(present: Sequence[Peer], running: dict[str, Server | None]) -> dict[Peer, Recovery]:
    """All at once: most of it is waiting for what will not come."""
    queues = [Queue(peer, "kill", running[peer.server], NAP_S) for peer in present]
    with ThreadPoolExecutor(len(queues)) as pool:
        return dict(zip(present, pool.map(_kill, queues), strict=True))


def _killed(queue: Queue, report: Report) -> Recovery:
    """Ours is asked too which jobs it had said were done."""
    acknowledged: set[str] = set()
    found = _kill(queue, acknowledged)
    runs = queue.runs()
    repeated = sum(runs[number] > 1 for number in acknowledged)
    report.at_most("none lost at a kill -9", found.lost, 0, "jobs")
    report.at_most("none repeated that was acknowledged", repeated, 0, "jobs")
    report.at_most(f"recovered within {RECOVERED_S:g} s", found.seconds, RECOVERED_S, "s")
    return found


def _kill(queue: Queue, acknowledged: set[str] | None = None) -> Recovery:
    """Kill it in the middle of its work, start it again, and see what becomes of the jobs."""
    queue.submit(JOBS_AT_A_KILL)
    process = queue.start()
    queue.wait_for(JOBS_AT_A_KILL // 4)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = len(queue.runs())
    if acknowledged is not None:
        acknowledged |= queue.done()
    began = time.perf_counter()
    again = queue.start()
    queue.wait_for(JOBS_AT_A_KILL, RECOVERY_S)
    seconds = time.perf_counter() - began
    os.killpg(again.pid, signal.SIGKILL)
    again.wait()
    runs = queue.runs()
    twice = sum(number > 1 for number in runs.values())
    return Recovery(before, JOBS_AT_A_KILL - len(runs), twice, seconds)


def _row(peer: Peer, speed: Speed, recovery: Recovery) -> Sequence[str]:
    after = f"{recovery.seconds:.1f} s" if not recovery.lost else f"not in {RECOVERY_S:g} s"
    return (
        peer.name,
        f"{speed.jobs_s:,.0f}",
        f"{speed.cpu_us:,.0f}",
        f"{speed.server_us:,.0f}" if peer.server != "sqlite" else "-",
        f"{recovery.lost}",
        f"{recovery.repeated}",
        after,
        KEPT_IN[peer.server],
    )
