"""What an executor promises whose attempts have a process of their own.

The inline executor promises none of this: it runs in the host, and so would these faults.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from mediahost.executor.local import LocalExecutor
from mediahost.executor.supervisor import Supervisor
from mediahost.model.job import Outcome
from mediahost.ports import AttemptSpec

BROKEN = "The worker broke its protocol while running faults.fault"
linux_only = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")


def _is_running(pid: int) -> bool:
    """Whether there is such a process, other than one that nobody has waited for yet."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()


def _wait_until(happened: Callable[[], bool], within_s: float = 20.0) -> None:
    ends_at = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < ends_at, "waited in vain"
        time.sleep(0.01)


def _wait_until_gone(*pids: int, within_s: float = 20.0) -> None:
    _wait_until(lambda: not any(map(_is_running, pids)), within_s)


def _pid_of_the_program(spec: AttemptSpec) -> int:
    note = Path(spec.workdir) / "pid"
    _wait_until(lambda: note.exists() and bool(note.read_text()))
    return int(note.read_text())


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("abort", "The worker was ended by signal SIGABRT while running faults.fault"),
        ("segfault", "The worker was ended by signal SIGSEGV while running faults.fault"),
        ("exit_at_once", "The worker exited with code 7 while running faults.fault"),
        ("speak_for_the_worker", f"{BROKEN}: A frame of {2**32 - 1} bytes was announced"),
    ],
)
def test_a_crash_costs_its_own_attempt_only(process_rig: Any, fault: str, message: str) -> None:
    innocents = [process_rig.submit("fine") for _ in range(4)]
    guilty = process_rig.submit("fault", fault=fault)
    innocents += [process_rig.submit("fine") for _ in range(4)]
    ended = process_rig.end(guilty)
    assert (ended.outcome, ended.failure.message) == (Outcome.CRASHED, message)
    assert ended.failure.transient
    assert {end.outcome for end in process_rig.ends(*innocents)} == {Outcome.OK}


def test_the_log_of_a_crash_shows_the_line_that_led_to_it(process_rig: Any) -> None:
    spec = process_rig.submit("fault", fault="segfault")
    assert "_segfault" in process_rig.end(spec).failure.traceback
    assert "Segmentation fault" in Path(spec.log_path).read_text()


def test_a_killed_worker_suggests_a_lack_of_memory(process_rig: Any) -> None:
    pid = process_rig.end(process_rig.submit("fault", fault="garbage")).result.metadata["pid"]
    spec = process_rig.submit("fault", fault="polite_loop")
    process_rig.wait_for_progress(spec)
    os.kill(pid, signal.SIGKILL)
    ended = process_rig.end(spec)
    assert "SIGKILL" in ended.failure.message
    assert "memory" in ended.failure.hint


def test_output_goes_to_the_log_from_c_too_and_disturbs_nothing(process_rig: Any) -> None:
    spec = process_rig.submit("fault", fault="garbage")
    assert process_rig.end(spec).outcome is Outcome.OK
    log = Path(spec.log_path).read_bytes()
    assert bytes(range(256)) * 40 in log
    assert b"printed by Python" in log
    assert b"put by C \xff\xfe" in log


@linux_only
def test_neither_program_nor_fork_gets_hold_of_the_sockets(process_rig: Any) -> None:
    spec = process_rig.submit("fault", fault="inherit")
    assert process_rig.end(spec).outcome is Outcome.OK
    assert (Path(spec.workdir) / "sockets").read_text() == ""


def test_a_quiet_attempt_leaves_no_log(process_rig: Any) -> None:
    spec = process_rig.submit("fine")
    process_rig.end(spec)
    assert not Path(spec.log_path).exists()


def test_an_attempt_that_closed_its_output_spoils_no_later_one(process_rig: Any) -> None:
    closed = process_rig.end(process_rig.submit("fault", fault="close_output"))
    assert closed.outcome is Outcome.OK
    later = process_rig.submit("fault", fault="garbage")
    ended = process_rig.end(later)
    assert ended.result.metadata["pid"] != closed.result.metadata["pid"]
    assert b"printed by Python" in Path(later.log_path).read_bytes()


def test_a_worker_that_closed_its_sockets_is_ended(process_rig: Any) -> None:
    ended = process_rig.end(process_rig.submit("fault", fault="close_everything"))
    assert ended.outcome is Outcome.CRASHED
    assert process_rig.end(process_rig.submit("fine")).outcome is Outcome.OK


def test_a_result_too_large_to_send_is_an_error(process_rig: Any) -> None:
    ended = process_rig.end(process_rig.submit("too_large"))
    assert ended.outcome is Outcome.ERROR
    assert "can't be sent" in ended.failure.message
    assert process_rig.end(process_rig.submit("fine")).outcome is Outcome.OK


@pytest.mark.parametrize("fault", ["loop", "deaf_loop", "hold_the_lock"])
def test_what_ignores_its_cancellation_is_killed_after_the_grace(
    process_rig: Any, fault: str
) -> None:
    spec, innocent = process_rig.submit("fault", fault=fault), process_rig.submit("fine")
    process_rig.wait_for_progress(spec)
    process_rig.executor.cancel(spec.token)
    assert process_rig.end(spec).outcome is Outcome.CANCELLED
    assert process_rig.end(innocent).outcome is Outcome.OK
    assert process_rig.end(process_rig.submit("fine")).outcome is Outcome.OK


@pytest.mark.parametrize("fault", ["loop", "deaf_loop", "hold_the_lock"])
def test_a_time_limit_reaches_even_c_code_that_holds_the_lock(process_rig: Any, fault: str) -> None:
    ended = process_rig.end(process_rig.submit("fault", fault=fault, timeout_s=0.2))
    assert ended.outcome is Outcome.TIMEOUT
    assert process_rig.end(process_rig.submit("fine")).outcome is Outcome.OK


def test_stopping_kills_what_will_not_stop(process_rig: Any) -> None:
    specs = [process_rig.submit("fault", fault="deaf_loop") for _ in range(3)]
    process_rig.wait_for_progress(specs[0])
    process_rig.executor.stop(drain=False, grace_s=0.1)
    assert {ended.outcome for ended in process_rig.ends(*specs)} == {Outcome.LOST}


def test_too_much_memory_ends_the_attempt(rig: Any, faults: str) -> None:
    rig.start(LocalExecutor(1, plugins=[faults], max_rss_bytes=300_000_000))
    ended = rig.end(rig.submit("fault", fault="grow"))
    assert ended.outcome is Outcome.OOM
    assert "the limit is 0.3 GB" in ended.failure.message
    assert rig.end(rig.submit("fine")).outcome is Outcome.OK


def test_a_worker_that_grew_is_replaced_between_attempts(rig: Any, faults: str) -> None:
    rig.start(LocalExecutor(1, plugins=[faults], max_rss_bytes=40_000_000))
    pids = [rig.end(rig.submit("fine")).result.metadata["pid"] for _ in range(2)]
    assert pids[0] != pids[1]


def test_a_worker_is_kept_for_the_next_attempt(process_rig: Any) -> None:
    pids = {process_rig.end(process_rig.submit("fine")).result.metadata["pid"] for _ in range(5)}
    assert len(pids) == 1


@linux_only
@pytest.mark.parametrize("fault", ["leave_a_program", "leave_a_daemon"])
def test_a_program_left_running_is_ended_with_its_attempt(process_rig: Any, fault: str) -> None:
    spec = process_rig.submit("fault", fault=fault)
    ended = process_rig.end(spec)
    assert ended.outcome is Outcome.OK
    assert not _is_running(_pid_of_the_program(spec))
    assert "left running" in Path(spec.log_path).read_text()
    again = process_rig.end(process_rig.submit("fine"))
    assert again.result.metadata["pid"] == ended.result.metadata["pid"]


@pytest.mark.parametrize("fault", ["spawn_and_crash", "spawn_and_hang"])
def test_a_program_does_not_outlive_the_worker_that_ran_it(process_rig: Any, fault: str) -> None:
    spec = process_rig.submit("fault", fault=fault, timeout_s=1.0)
    pid = _pid_of_the_program(spec)
    assert process_rig.end(spec).outcome in {Outcome.CRASHED, Outcome.TIMEOUT}
    _wait_until_gone(pid)


@linux_only
@pytest.mark.parametrize("fault", ["daemon_and_crash", "bare_daemon_and_crash", "daemon_and_hang"])
def test_a_daemon_does_not_outlive_a_worker_that_dies(process_rig: Any, fault: str) -> None:
    beside = process_rig.submit("fault", fault="spawn_and_hang", timeout_s=30.0)
    neighbour = _pid_of_the_program(beside)
    with subprocess.Popen(["sleep", "600"]) as embedding:
        spec = process_rig.submit("fault", fault=fault, timeout_s=30.0)
        pid = _pid_of_the_program(spec)
        if fault == "daemon_and_hang":
            os.kill(int((Path(spec.workdir) / "worker").read_text()), signal.SIGKILL)
        assert process_rig.end(spec).outcome is Outcome.CRASHED
        assert not _is_running(pid)
        assert _is_running(neighbour), "a neighbour's program is none of this attempt's"
        assert embedding.poll() is None, "nor are children of a program that embeds the host"
        embedding.kill()
    process_rig.executor.cancel(beside.token, 0.1)
    _wait_until_gone(neighbour)


def test_an_interpreter_that_is_not_there_is_told_once_for_each_attempt(rig: Any) -> None:
    rig.start(LocalExecutor(2, python="/no/such/python"))
    specs = [rig.submit("fine") for _ in range(3)]
    for ended in rig.ends(*specs):
        assert ended.outcome is Outcome.LOST
        assert "could not be started with /no/such/python" in ended.failure.message


def test_a_worker_that_can_not_start_says_why(rig: Any, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho the environment is broken >&2\nexit 3\n")
    python.chmod(0o700)
    rig.start(LocalExecutor(1, python=str(python)))
    ended = rig.end(rig.submit("fine"))
    assert ended.outcome is Outcome.LOST
    assert "the environment is broken" in ended.failure.message


def test_a_broken_plugin_breaks_no_worker(rig: Any, faults: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import no_such_module")
    rig.start(LocalExecutor(1, plugins=[str(broken), faults]))
    assert rig.end(rig.submit("fine")).outcome is Outcome.OK


def test_the_host_rests_while_a_worker_starts(
    rig: Any, faults: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[Supervisor] = []
    turn = Supervisor._turn

    def counted(supervisor: Supervisor) -> None:
        turns.append(supervisor)
        turn(supervisor)

    monkeypatch.setattr(Supervisor, "_turn", counted)
    # With room for more workers than there are attempts: nothing is to be done until one is ready.
    rig.start(LocalExecutor(2, plugins=[faults]))
    assert rig.end(rig.submit("fine")).outcome is Outcome.OK
    # One for each thing that is heard; a host that looks again and again has thousands.
    assert len(turns) < 100


def test_a_worker_stays_light(process_rig: Any) -> None:
    loaded = set(process_rig.end(process_rig.submit("modules")).result.metadata["modules"])
    heavy = {"sqlalchemy", "sqlmodel", "alembic", "textual", "watchdog", "typer", "rich"}
    assert not loaded & heavy
    assert "mediahost.executor.shift" in loaded
    assert "mediahost.executor.supervisor" not in loaded


def test_no_worker_is_left_after_a_stop(process_rig: Any) -> None:
    specs = [process_rig.submit("fault", fault="garbage") for _ in range(4)]
    pids = {ended.result.metadata["pid"] for ended in process_rig.ends(*specs)}
    process_rig.executor.stop(drain=True, grace_s=0.2)
    assert not any(map(_is_running, pids))


@pytest.fixture
def quick_rig(process_rig: Any) -> Any:
    """Workers that have found the action quick, so that they are given several at a time."""
    for _ in range(2):
        specs = [process_rig.submit("fault", fault="none") for _ in range(20)]
        assert {ended.outcome for ended in process_rig.ends(*specs)} == {Outcome.OK}
    return process_rig


def test_one_that_turns_out_slow_does_not_hold_up_those_behind_it(quick_rig: Any) -> None:
    slow = quick_rig.submit("fault", fault="loop")
    others = [quick_rig.submit("fault", fault="none") for _ in range(20)]
    assert {ended.outcome for ended in quick_rig.ends(*others)} == {Outcome.OK}
    assert quick_rig.executor.alive() == {slow.token}


def test_what_was_taken_back_runs_once(quick_rig: Any) -> None:
    slow = quick_rig.submit("fault", fault="polite_loop")
    others = [quick_rig.submit("fault", fault="note") for _ in range(20)]
    quick_rig.ends(*others)
    quick_rig.executor.cancel(slow.token, 60.0)
    quick_rig.end(slow)
    quick_rig.executor.stop(drain=True, grace_s=60.0)
    assert [(Path(spec.workdir) / "runs").read_text() for spec in others] == ["x"] * 20


def test_a_crash_spares_those_that_were_given_ahead(quick_rig: Any) -> None:
    faults = ["none", "none", "segfault", "none", "none", "exit_at_once", "none"] * 2
    specs = [quick_rig.submit("fault", fault=fault) for fault in faults]
    for fault, ended in zip(faults, quick_rig.ends(*specs), strict=True):
        assert ended.outcome is (Outcome.OK if fault == "none" else Outcome.CRASHED)


def test_a_time_limit_counts_from_when_an_attempt_began(quick_rig: Any) -> None:
    specs = [quick_rig.submit("fault", fault="loop", timeout_s=0.2) for _ in range(5)]
    specs += [quick_rig.submit("fault", fault="none", timeout_s=0.2) for _ in range(10)]
    outcomes = [ended.outcome for ended in quick_rig.ends(*specs)]
    assert outcomes == [Outcome.TIMEOUT] * 5 + [Outcome.OK] * 10


def test_those_given_ahead_can_be_cancelled(quick_rig: Any) -> None:
    specs = [quick_rig.submit("fault", fault="polite_loop") for _ in range(12)]
    for spec in specs:
        quick_rig.executor.cancel(spec.token, 60.0)
    assert {ended.outcome for ended in quick_rig.ends(*specs)} == {Outcome.CANCELLED}


def test_those_given_ahead_are_given_back_at_a_stop(quick_rig: Any) -> None:
    specs = [quick_rig.submit("fault", fault="deaf_loop") for _ in range(12)]
    quick_rig.executor.stop(drain=False, grace_s=0.1)
    assert {ended.outcome for ended in quick_rig.ends(*specs)} == {Outcome.LOST}


def test_a_worker_of_no_more_use_gives_back_what_it_was_given(quick_rig: Any) -> None:
    specs = [quick_rig.submit("fault", fault="close_output")]
    specs += [quick_rig.submit("fault", fault="none") for _ in range(20)]
    assert {ended.outcome for ended in quick_rig.ends(*specs)} == {Outcome.OK}


def _storm(rig: Any, faults: str, kills: int) -> None:
    """Kill workers at random moments while jobs run: each job must end, once."""
    rig.start(LocalExecutor(2, plugins=[faults]))
    dice = random.Random(kills)  # noqa: S311 - no secret
    specs: list[AttemptSpec] = []
    killed: set[int] = set()
    while len(killed) < kills:
        batch = [rig.submit("fine") for _ in range(dice.randint(1, 20))]
        specs += batch
        luckless = dice.choice(batch)
        ended = rig.end(luckless)
        if ended.outcome is Outcome.OK:
            pid = ended.result.metadata["pid"]
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
    ends = rig.ends(*specs)
    assert {ended.outcome for ended in ends} <= {Outcome.OK, Outcome.CRASHED}
    crashed = sum(ended.outcome is Outcome.CRASHED for ended in ends)
    assert crashed <= len(killed)
    rig.executor.stop(drain=True, grace_s=1.0)
    assert rig.executor.alive() == set()
    assert not any(map(_is_running, killed))


def test_killing_workers_at_random_leaves_no_attempt_unresolved(rig: Any, faults: str) -> None:
    _storm(rig, faults, kills=10)


@pytest.mark.chaos
def test_a_storm_of_kills_leaves_no_attempt_unresolved(rig: Any, faults: str) -> None:
    _storm(rig, faults, kills=300)


HOST = dedent("""
    import sys, time
    from pathlib import Path
    from uuid import uuid4
    from mediahost.executor.local import LocalExecutor
    from mediahost.model.job import Token
    from mediahost.model.media import MediaFile
    from mediahost.ports import AttemptSpec

    plugin, folder, fault = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    executor = LocalExecutor(1, plugins=[plugin])
    executor.start(lambda event: None)
    executor.submit(
        AttemptSpec(
            Token(uuid4(), 1), "faults.fault", {"fault": fault},
            MediaFile.at(folder / "tone.wav"), folder, folder / "log",
        )
    )
    time.sleep(600)
""")


@linux_only
@pytest.mark.parametrize(
    "fault", ["spawn_and_hang", "spawn_and_hold_the_lock", "daemon_and_hold_the_lock"]
)
def test_nothing_outlives_a_host_that_is_killed(rig: Any, faults: str, fault: str) -> None:
    with subprocess.Popen([sys.executable, "-c", HOST, faults, rig.folder, fault]) as host:
        note = rig.folder / "pid"
        _wait_until(lambda: note.exists() and bool(note.read_text()))
        pid = int(note.read_text())
        worker = int((rig.folder / "worker").read_text())
        assert _is_running(worker)
        host.kill()
    _wait_until_gone(pid, worker, within_s=5.0)
