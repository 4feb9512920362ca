"""Jobs: durable no-ops through workers, from the command to its summary."""

import os

from benchmarks import corpus
from benchmarks.host import Installation
from benchmarks.measure import command, once
from benchmarks.report import Report

TITLE = "Jobs: {jobs:,} durable no-ops, each on a recording of its own, {cores} cores"

JOBS_A_SECOND = 12_000
CPU_US_A_JOB = 90


def measure(*, quick: bool) -> Report:
    """The whole command that runs them, and what is left of it without start and walk."""
    jobs = 1000 if quick else 5000
    folder = corpus.recordings(jobs)
    report = Report("jobs", TITLE.format(jobs=jobs, cores=os.cpu_count()))
    installation = Installation.named("jobs", empty=True)
    run = installation.run(folder)
    first = once(run, environ=installation.environ)
    again = command(run, environ=installation.environ, repeat=3)
    wall, cpu = first.wall_s - again.wall_s, first.cpu_s - again.cpu_s
    report.add("mediahost run, nothing cached", first.wall_s, "s wall", f"{first.cpu_s:.2f} s CPU")
    report.add("mediahost run, all cached", again.wall_s, "s wall", f"{again.cpu_s:.2f} s CPU")
    speed = report.add("the difference: jobs", jobs / wall, "jobs/s", "hashing of files included")
    each = report.add("the difference: CPU", cpu / jobs * 1e6, "µs/job", "over all processes")
    report.at_least("at least 12,000 jobs a second", speed, JOBS_A_SECOND, "jobs/s")
    report.at_most("at most 90 µs of CPU a job", each, CPU_US_A_JOB, "µs")
    return report
