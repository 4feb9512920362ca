"""`mediahost run --executor dask`: a real scheduler and two workers, one of which dies."""

import os
import random
from pathlib import Path
from typing import Any

import pytest

TIMEOUT_S = 300.0
SEED = 4
# Each commit of a job, as the database itself sees it.
TRIGGER = """
CREATE TABLE commits (job TEXT, attempt INTEGER);
CREATE TRIGGER note_commits AFTER UPDATE OF status ON jobs WHEN NEW.status = 'completed'
BEGIN INSERT INTO commits VALUES (NEW.id, NEW.attempt); END;
"""


def _runs_attempts(pid: int) -> bool:
    return "worker.py" in Path(f"/proc/{pid}/cmdline").read_text()


def test_the_job_of_a_killed_worker_runs_elsewhere_and_is_committed_once(
    home: Any, starts: Any, own_dask_cluster: Any, children_of: Any
) -> None:
    home.tone("tone.wav")
    own_dask_cluster.environ = {**os.environ, **home.environ}
    own_dask_cluster.start(workers=2)
    process = home.start(
        *("run", "media", "-a", "count.wait", "--json"),
        *("--executor", "dask", "--scheduler", own_dask_cluster.address),
    )
    starts.wait()
    _, *workers = own_dask_cluster.processes
    (busy,) = [worker for worker in workers if children_of(worker.pid)]
    busy.kill()
    starts.wait()
    Path(home.environ["OPEN"]).touch()
    answer = home.finish(process)
    assert (answer.code, answer.counts) == (0, {"done": 1}), answer.err
    assert home.ran() == {"wait tone.wav": 2}
    assert home.query("SELECT status, count(*) FROM jobs") == [("completed", 1)]
    assert len(home.call("results", "media/tone.wav", "--json").json) == 1
    home.assert_sound()


def test_what_a_killed_host_had_running_is_ended_and_done_by_the_next(
    home: Any, starts: Any, own_dask_cluster: Any, children_of: Any, wait_until_gone: Any
) -> None:
    home.tone("tone.wav")
    own_dask_cluster.environ = {**os.environ, **home.environ}
    own_dask_cluster.start(workers=2)
    command = (
        *("run", "media", "-a", "count.wait", "--json"),
        *("--executor", "dask", "--scheduler", own_dask_cluster.address),
    )
    process = home.start(*command)
    starts.wait()
    _, *workers = own_dask_cluster.processes
    (busy,) = [worker for worker in workers if children_of(worker.pid)]
    (running,) = [child for child in children_of(busy.pid) if _runs_attempts(child)]
    process.kill()
    process.communicate()
    wait_until_gone(running)
    Path(home.environ["OPEN"]).touch()
    answer = home.call(*command)
    assert (answer.code, answer.counts) == (0, {"done": 1}), answer.err
    assert home.ran() == {"wait tone.wav": 2}
    home.assert_sound()


@pytest.mark.parametrize(
    ("files", "strikes"), [(8, 2), pytest.param(120, 30, marks=pytest.mark.chaos)]
)
def test_hosts_and_workers_killed_at_random_lose_and_repeat_nothing(
    home: Any, starts: Any, own_dask_cluster: Any, files: int, strikes: int
) -> None:
    own_dask_cluster.environ = {**os.environ, **home.environ}
    own_dask_cluster.start(workers=2)
    workers = own_dask_cluster.processes[1:]
    home.tones(files)
    home.script(TRIGGER)
    command = (
        *("run", "media", "-a", "count.cut:pause_s=0.3", "--json"),
        *("--executor", "dask", "--scheduler", own_dask_cluster.address),
    )
    chance = random.Random(SEED)  # noqa: S311 - no secret
    host = home.start(*command)
    for strike in range(strikes):
        for _ in range(chance.randint(1, 3)):
            starts.wait()
        if strike % 2:
            victim = workers.pop(chance.randrange(len(workers)))
            victim.kill()
            workers.append(own_dask_cluster.add_worker())
        else:
            host.kill()
            host.communicate()
            host = home.start(*command)
        if home.jobs().get("completed", 0) > files - 4:
            break
    answer = home.finish(host, within_s=TIMEOUT_S)
    assert answer.code == 0, answer.err
    assert home.jobs() == {"completed": files}
    assert home.query("SELECT count(*), count(DISTINCT job) FROM commits") == [(files, files)]
    home.assert_sound()


def test_a_scheduler_that_nobody_named_is_asked_for(home: Any) -> None:
    home.tone("tone.wav")
    answer = home.call("run", "media", "-a", "count.look", "--executor", "dask")
    assert answer.code == 3
    assert "--scheduler tcp://HOST:8786" in answer.err
