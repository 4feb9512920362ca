"""The same promises where no pidfd tells of a worker's death: on macOS, and Linux before 5.3."""

import os
import signal
from typing import Any

import pytest

from mediahost.executor.local import LocalExecutor
from mediahost.model.job import Outcome


@pytest.fixture
def bare_rig(rig: Any, faults: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A rig on two local workers, on a machine without pidfds."""
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    rig.start(LocalExecutor(2, plugins=[faults], grace_s=0.2))
    return rig


@pytest.mark.parametrize("fault", ["abort", "exit_at_once", "close_everything"])
def test_a_crash_costs_its_own_attempt_only(bare_rig: Any, fault: str) -> None:
    innocents = [bare_rig.submit("fine") for _ in range(4)]
    guilty = bare_rig.submit("fault", fault=fault)
    assert bare_rig.end(guilty).outcome is Outcome.CRASHED
    assert {ended.outcome for ended in bare_rig.ends(*innocents)} == {Outcome.OK}
    assert bare_rig.end(bare_rig.submit("fine")).outcome is Outcome.OK


def test_a_worker_that_is_killed_while_it_runs_or_waits_is_replaced(bare_rig: Any) -> None:
    pid = bare_rig.end(bare_rig.submit("fine")).result.metadata["pid"]
    spec = bare_rig.submit("fault", fault="polite_loop")
    bare_rig.wait_for_progress(spec)
    os.kill(pid, signal.SIGKILL)
    assert bare_rig.end(spec).outcome is Outcome.CRASHED
    pid = bare_rig.end(bare_rig.submit("fine")).result.metadata["pid"]
    os.kill(pid, signal.SIGKILL)
    ends = bare_rig.ends(*[bare_rig.submit("fine") for _ in range(4)])
    assert {ended.outcome for ended in ends} <= {Outcome.OK, Outcome.CRASHED}
    assert Outcome.OK in {ended.outcome for ended in ends}


@pytest.mark.parametrize("fault", ["deaf_loop", "hold_the_lock"])
def test_what_ignores_its_cancellation_is_killed_after_the_grace(bare_rig: Any, fault: str) -> None:
    spec, innocent = bare_rig.submit("fault", fault=fault), bare_rig.submit("fine")
    bare_rig.wait_for_progress(spec)
    bare_rig.executor.cancel(spec.token)
    assert bare_rig.end(spec).outcome is Outcome.CANCELLED
    assert bare_rig.end(innocent).outcome is Outcome.OK


def test_no_worker_is_left_after_a_stop(bare_rig: Any) -> None:
    ends = bare_rig.ends(*[bare_rig.submit("fine") for _ in range(4)])
    pids = {ended.result.metadata["pid"] for ended in ends}
    bare_rig.executor.stop(drain=True, grace_s=1.0)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
