"""How far it goes: files a day against hosts, stores and workers, by a small simulation.

    python -m benchmarks.scale

A closed queueing network, stepped event by event: hosts claim jobs in batches from one or several
stores, workers run them, hosts commit in batches; fetching media shares a network. The service
times are measured ones (docs/scale.md says where); the simulation says which of them becomes the
bottleneck, and when.
"""

import heapq
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Setup:
    """One way to set it up.

    Attributes:
        stores: Databases that the jobs are divided among.
        hosts: mediahost hosts; each has its share of the workers.
        workers: Attempts at a time, in all.
        job_s: CPU seconds that one job takes.
        mb: Megabytes that one job reads.
        network_mb_s: What the network and the object store give, in all.
        write_s: Seconds that a store is busy with a transaction, whatever is in it.
        row_s: Seconds that it is busy with each job in it: claim and commit together.
        host_s: Seconds that a host is busy with one job: plan, hash, hand over, take back.
        batch: Most jobs in one transaction.
        schedulers: Dask schedulers that the hosts are divided among; 0: workers are the hosts' own.
        dispatch_s: Seconds that a Dask scheduler is busy with one job and its events.
    """

    stores: int = 1
    hosts: int = 1
    workers: int = 16
    job_s: float = 2.0
    mb: float = 20.0
    network_mb_s: float = 1250.0
    write_s: float = 0.004
    row_s: float = 0.000_06
    host_s: float = 0.000_25
    batch: int = 64
    schedulers: int = 0
    dispatch_s: float = 0.001


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: files a day, and how busy each part was, from 0 to 1."""

    files_a_day: float
    store: float
    host: float
    scheduler: float
    network: float
    workers: float

    @property
    def bottleneck(self) -> str:
        """The part that was busiest."""
        parts = {
            "store": self.store,
            "host": self.host,
            "scheduler": self.scheduler,
            "network": self.network,
            "workers": self.workers,
        }
        return max(parts.items(), key=lambda part: part[1])[0]


class _Line:
    """A part that does one thing at a time, first come first served."""

    def __init__(self) -> None:
        self.free_at = 0.0
        self.busy_s = 0.0

    def serve(self, now: float, seconds: float) -> float:
        """When it is done."""
        self.free_at = max(now, self.free_at) + seconds
        self.busy_s += seconds
        return self.free_at


def simulate(setup: Setup, seconds: float = 120.0, seed: int = 1) -> Outcome:
    """Run it for so many seconds, with so many jobs waiting that none runs out of work."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    stores = [_Line() for _ in range(setup.stores)]
    hosts = [_Line() for _ in range(setup.hosts)]
    schedulers = [_Line() for _ in range(setup.schedulers)]
    network = _Line()
    share = max(1, setup.workers // setup.hosts)
    ends: list[tuple[float, int]] = [(0.0, host) for host in range(setup.hosts)]
    done, busy_s = 0, 0.0
    running: list[list[float]] = [[] for _ in hosts]
    while ends and ends[0][0] < seconds:
        now, host = heapq.heappop(ends)
        ended = _take_until(running[host], now)
        done += len(ended)
        room = share - len(running[host])
        batch = min(setup.batch, room) if room else 0
        rows = len(ended) + batch
        if rows:
            store = stores[chance.randrange(setup.stores)]
            now = store.serve(now, setup.write_s + rows * setup.row_s)
            now = hosts[host].serve(now, rows * setup.host_s)
        for _ in range(batch):
            given = now
            if schedulers:
                given = schedulers[host % setup.schedulers].serve(now, setup.dispatch_s)
            fetched = network.serve(given, setup.mb / setup.network_mb_s)
            took = chance.expovariate(1 / setup.job_s)
            busy_s += min(took, max(0.0, seconds - fetched))
            heapq.heappush(running[host], fetched + took)
        next_at = running[host][0] if running[host] else now + 0.01
        heapq.heappush(ends, (max(now, next_at), host))
    return Outcome(
        done / seconds * DAY_S,
        max(one.busy_s for one in stores) / seconds,
        max(one.busy_s for one in hosts) / seconds,
        max((one.busy_s for one in schedulers), default=0.0) / seconds,
        network.busy_s / seconds,
        busy_s / (setup.workers * seconds),
    )


def _take_until(running: list[float], now: float) -> list[float]:
    ended = []
    while running and running[0] <= now:
        ended.append(heapq.heappop(running))
    return ended


def setups() -> Iterator[tuple[str, Setup]]:
    """Those of docs/scale.md."""
    base = Setup()
    yield "one machine, 16 cores", base
    dask = replace(base, workers=256, schedulers=1)
    yield "one host, Dask with 256 cores, 10 Gbit/s", dask
    yield "the same, 100 Gbit/s", replace(dask, network_mb_s=12_500.0)
    quick = replace(dask, job_s=0.1, mb=1.0, network_mb_s=12_500.0)
    yield "the same, quick jobs (0.1 s, 1 MB)", quick
    many = replace(quick, hosts=16, workers=2048, schedulers=16, network_mb_s=50_000.0)
    yield "16 hosts, each its Dask of 128 cores", many
    bare = replace(many, schedulers=0)
    yield "16 hosts, workers of their own", bare
    yield "the same, 4 stores", replace(bare, stores=4)
    yield "64 hosts, 8,192 cores, 16 stores", replace(bare, stores=16, hosts=64, workers=8192)


def table(rows: Sequence[tuple[str, Outcome]]) -> str:
    """As docs/scale.md has it."""
    lines = [
        "| setup | files a day | store | host | scheduler | network | workers | bottleneck |",
        "|---" * 8,
    ]
    lines[1] += "|"
    for title, one in rows:
        parts = (one.store, one.host, one.scheduler, one.network, one.workers)
        shares = " | ".join(f"{min(part, 1.0):.0%}" for part in parts)
        millions = one.files_a_day / 1e6
        lines.append(f"| {title} | {millions:.1f} million | {shares} | {one.bottleneck} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    print(table([(title, simulate(setup, seconds=60.0)) for title, setup in setups()]))


if __name__ == "__main__":
    main()
