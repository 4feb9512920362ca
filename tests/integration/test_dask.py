"""`mediahost run --executor dask`: a real scheduler and two workers, one of which dies."""

import os
import select
from contextlib import suppress
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0


def _children(pid: int) -> list[str]:
    return [
        child
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def _runs_attempts(pid: str) -> bool:
    return "worker.py" in Path(f"/proc/{pid}/cmdline").read_text()


def _wait_until_gone(pid: int) -> None:
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        ready, _, _ = select.select([descriptor], [], [], PATIENCE_S)
        os.close(descriptor)
        assert ready, "what the killed host had running runs on"


def test_the_job_of_a_killed_worker_runs_elsewhere_and_is_committed_once(
    home: Any, starts: Any, own_dask_cluster: Any
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
    (busy,) = [worker for worker in workers if _children(worker.pid)]
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
    home: Any, starts: Any, own_dask_cluster: Any
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
    (busy,) = [worker for worker in workers if _children(worker.pid)]
    (running,) = [child for child in _children(busy.pid) if _runs_attempts(child)]
    process.kill()
    process.communicate()
    _wait_until_gone(int(running))
    Path(home.environ["OPEN"]).touch()
    answer = home.call(*command)
    assert (answer.code, answer.counts) == (0, {"done": 1}), answer.err
    assert home.ran() == {"wait tone.wav": 2}
    home.assert_sound()


def test_a_scheduler_that_nobody_named_is_asked_for(home: Any) -> None:
    home.tone("tone.wav")
    answer = home.call("run", "media", "-a", "count.look", "--executor", "dask")
    assert answer.code == 3
    assert "--scheduler tcp://HOST:8786" in answer.err
