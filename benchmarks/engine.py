"""Engine: durable no-ops through two workers, beside other queues, and what a kill -9 loses."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peers
from benchmarks.corpus import WORK
from benchmarks.measure import Argv, Cost, once
from benchmarks.report import Report

TITLE = "Engine: {jobs:,} durable no-ops submitted and done by two workers"

HERE = Path(__file__).parent
JOBS_A_SECOND = 12_000
CPU_US_A_JOB = 90
RECOVERED_S = 2.0
JOBS_AT_A_KILL = 200
POLL_S = 0.02
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue as its user calls it.

    Attributes:
        name: What the report calls it.
        program: The command; `submit NUMBER` or `work` follow.
        environ: What the program's environment must have.
        ends: Whether `work` ends when nothing is left, and `done` tells what is done; else it is
            asked to end.
    """

    name: str
    program: Argv
    environ: Mapping[str, str]
    ends: bool

    @property
    def ran(self) -> Path:
        """Where each job notes that it ran."""
        return Path(self.environ["RAN"])

    def submit(self, jobs: int) -> Cost:
        """Submit so many jobs."""
        self.ran.touch()
        return once([*self.program, "submit", str(jobs)], environ=dict(self.environ))

    def start(self) -> "subprocess.Popen[bytes]":
        """Start its workers."""
        return subprocess.Popen(
            [str(part) for part in (*self.program, "work")],
            env=os.environ | dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_for(self, jobs: int) -> bool:
        """Wait until so many different jobs have run; whether they have."""
        ends_at = time.monotonic() + PATIENCE_S
        while len(self.runs()) < jobs and time.monotonic() < ends_at:
            time.sleep(POLL_S)
        return len(self.runs()) >= jobs

    def done(self) -> set[str]:
        """The jobs that it says are done."""
        said = subprocess.run(
            [str(part) for part in (*self.program, "done")],
            env=os.environ | dict(self.environ),
            check=True,
            capture_output=True,
            text=True,
        )
        return set(said.stdout.split())

    def runs(self) -> Counter[str]:
        """How often each job has run."""
        return Counter(self.ran.read_text().split())


def measure(*, quick: bool) -> Report:
    """Throughput and CPU of each queue, then a kill in the middle."""
    peers.install()
    jobs = 1000 if quick else 5000
    report = Report("engine", TITLE.format(jobs=jobs))
    figures = {queue.name: _throughput(queue, jobs, report) for queue in _queues("speed")}
    for queue in _queues("kill"):
        _kill(queue, report)
    ours, ours_cpu = figures.pop("mediahost")
    fastest = max(speed for speed, _ in figures.values())
    report.at_least("ahead of the fastest peer here", ours, fastest, "jobs/s")
    report.at_least("at least 12,000 jobs a second", ours, JOBS_A_SECOND, "jobs/s")
    report.at_most("at most 90 µs of CPU a job", ours_cpu, CPU_US_A_JOB, "µs")
    return report


def _queues(purpose: str) -> list[Queue]:
    folder = WORK / f"engine-{purpose}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    programs = HERE / "programs"
    ours = {
        "MEDIAHOST_DATA_DIR": str(folder / "data"),
        "MEDIAHOST_PLUGINS": str(HERE / "note.py"),
        "MEDIAHOST_WORKERS": "2",
        "PYTHONPATH": str(HERE.parent),
        "RAN": str(folder / "mediahost.ran"),
    }
    huey = {"QUEUE": str(folder / "huey.db"), "RAN": str(folder / "huey.ran")}
    return [
        Queue("mediahost", [sys.executable, programs / "mediahost_noops.py"], ours, ends=True),
        Queue("huey", [peers.PYTHON, programs / "huey_noops.py"], huey, ends=False),
    ]


def _throughput(queue: Queue, jobs: int, report: Report) -> tuple[float, float]:
    """Jobs a second and µs of CPU a job, start-up of its programs taken off."""
    queue.submit(1)
    _work(queue, 1)
    queue.ran.unlink()
    idle = queue.submit(0)
    empty = _work(queue, 0) if queue.ends else Cost(0.0, 0.0)
    submitted = queue.submit(jobs)
    worked = _work(queue, jobs)
    wall = submitted.wall_s - idle.wall_s + worked.wall_s - empty.wall_s
    cpu = submitted.cpu_s - idle.cpu_s + worked.cpu_s - empty.cpu_s
    each = cpu / jobs * 1e6
    report.add(queue.name, jobs / wall, "jobs/s", f"{each:,.0f} µs of CPU a job")
    return jobs / wall, each


def _work(queue: Queue, jobs: int) -> Cost:
    """What it costs to run what was submitted."""
    began = time.perf_counter()
    process = queue.start()
    queue.wait_for(jobs)
    wall = time.perf_counter() - began
    if not queue.ends:
        process.send_signal(signal.SIGINT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(wall, usage.ru_utime + usage.ru_stime)


def _kill(queue: Queue, report: Report) -> None:
    """Kill it in the middle of its work, start it again, and see what becomes of the jobs."""
    queue.submit(JOBS_AT_A_KILL)
    process = queue.start()
    queue.wait_for(JOBS_AT_A_KILL // 4)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = len(queue.runs())
    acknowledged = queue.done() if queue.ends else set()
    began = time.perf_counter()
    again = queue.start()
    queue.wait_for(JOBS_AT_A_KILL)
    seconds = time.perf_counter() - began
    os.killpg(again.pid, signal.SIGKILL)
    again.wait()
    runs = queue.runs()
    lost = JOBS_AT_A_KILL - len(runs)
    twice = sum(number > 1 for number in runs.values())
    note = f"{before} had run; {lost} never ran, {twice} ran again; done after {seconds:.1f} s"
    report.add(f"{queue.name}, killed and restarted", lost, "jobs lost", note)
    if queue.ends:
        repeated = sum(runs[number] > 1 for number in acknowledged)
        report.at_most("none lost at a kill -9", lost, 0, "jobs")
        report.at_most("none repeated that was acknowledged", repeated, 0, "jobs")
        report.at_most(f"recovered within {RECOVERED_S:g} s", seconds, RECOVERED_S, "s")
