"""`mediahost run --executor dask`: a real scheduler and two workers, one of which dies."""

import os
from pathlib import Path
from typing import Any


def _children(pid: int) -> list[str]:
    return [
        child
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


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


def test_a_scheduler_that_nobody_named_is_asked_for(home: Any) -> None:
    home.tone("tone.wav")
    answer = home.call("run", "media", "-a", "count.look", "--executor", "dask")
    assert answer.code == 3
    assert "--scheduler tcp://HOST:8786" in answer.err
