"""What is promised of attempts that share a process: together when all is well, apart else."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mediahost.executor.dask import DaskExecutor, DaskOptions
from mediahost.executor.isolated import IsolatedExecutor
from mediahost.executor.local import LocalExecutor
from mediahost.model.job import Outcome

TOGETHER = 10
PATIENCE_S = 60


class Server:
    """Answers its callers when all of them have called."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=TOGETHER)
        self._listening.settimeout(PATIENCE_S)
        self.port = self._listening.getsockname()[1]
        self._callers: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        try:
            for _ in range(TOGETHER):
                caller, _address = self._listening.accept()
                self._callers.append(caller)
            for caller in self._callers:
                caller.sendall(b"!")
        except OSError:  # closed: they never came
            return

    def close(self) -> None:
        """Let go of everybody."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for one in (self._listening, *self._callers):
            one.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on loopback."""
    server = Server()
    yield server
    server.close()


@pytest.fixture(params=["local", "isolated", "dask"])
def sharing_rig(request: pytest.FixtureRequest, rig: Any, faults: str) -> Any:
    """Each executor that runs several attempts at once; all of them share a process."""
    rig.shared = True
    if request.param == "dask":
        address = request.getfixturevalue("wide_dask_cluster").address
        options = DaskOptions(address, str(rig.folder / "exchange"))
        rig.start(DaskExecutor(options, plugins=[faults], grace_s=0.2))
    elif request.param == "isolated":
        python = Path(sys.executable)
        names = "meet", "fine", "fault", "loads"
        rig.start(
            IsolatedExecutor(
                LocalExecutor(TOGETHER),
                {f"faults.{name}": python for name in names},
                lambda one: LocalExecutor(TOGETHER, python=str(one), plugins=[faults], grace_s=0.2),
            )
        )
    else:
        rig.start(LocalExecutor(TOGETHER, plugins=[faults], grace_s=0.2))
    return rig


@pytest.fixture
def shared_rig(rig: Any, faults: str) -> Any:
    """Attempts of this machine that share a process."""
    rig.shared = True
    rig.start(LocalExecutor(TOGETHER, plugins=[faults], grace_s=0.2))
    return rig


def test_ten_that_wait_for_each_other_run_at_once_in_one_process(
    sharing_rig: Any, server: Server
) -> None:
    words = [f"word-{number}" for number in range(TOGETHER)]
    specs = [sharing_rig.submit("meet", port=server.port, word=word) for word in words]
    ends = sharing_rig.ends(*specs)
    assert {ended.outcome for ended in ends} == {Outcome.OK}, ends
    assert len({ended.result.metadata["pid"] for ended in ends}) == 1
    assert {ended.result.metadata["held"] for ended in ends} == {1}
    for word, spec, ended in zip(words, specs, ends, strict=True):
        assert ended.result.metadata["notes"] == ["note"]
        assert {event.message for event in sharing_rig.progress(spec)} == {word}
        said = Path(spec.log_path).read_text().splitlines()
        assert len(said) == 5
        assert all(f"{word} " in line for line in said), said
        for deed in ("printed", "logged", "warned", "said on a thread", "ran a program"):
            assert any(line.endswith(f"{word} {deed}") for line in said), said


def test_a_cancel_leaves_those_beside_it(sharing_rig: Any) -> None:
    specs = [sharing_rig.submit("fault", fault="polite_loop") for _ in range(3)]
    for spec in specs:
        sharing_rig.wait_for_progress(spec)
    first, *others = specs
    sharing_rig.executor.cancel(first.token, 60.0)
    assert sharing_rig.end(first).outcome is Outcome.CANCELLED
    assert sharing_rig.executor.alive() == {spec.token for spec in others}
    assert sharing_rig.end(sharing_rig.submit("fine")).outcome is Outcome.OK
    for spec in others:
        sharing_rig.executor.cancel(spec.token, 60.0)
    assert {ended.outcome for ended in sharing_rig.ends(*others)} == {Outcome.CANCELLED}


def test_one_that_ignores_its_cancellation_takes_the_others_along(sharing_rig: Any) -> None:
    beside = [sharing_rig.submit("fault", fault="polite_loop") for _ in range(2)]
    for spec in beside:
        sharing_rig.wait_for_progress(spec)
    deaf = sharing_rig.submit("fault", fault="hold_the_lock")
    sharing_rig.wait_for_progress(deaf)
    sharing_rig.executor.cancel(deaf.token, 0.2)
    assert sharing_rig.end(deaf).outcome is Outcome.CANCELLED
    for ended in sharing_rig.ends(*beside):
        assert ended.outcome is Outcome.LOST
        assert ended.failure.transient
        assert "faults.fault had to be ended there" in ended.failure.message
    assert sharing_rig.end(sharing_rig.submit("fine")).outcome is Outcome.OK


def _crash_beside_others(rig: Any, fault: str) -> None:
    beside = [rig.submit("fault", fault="polite_loop") for _ in range(3)]
    for spec in beside:
        rig.wait_for_progress(spec)
    guilty = rig.submit("fault", fault=fault)
    for ended in rig.ends(guilty, *beside):
        assert ended.outcome is Outcome.LOST, ended
        assert "shared with 3 more" in ended.failure.message
    assert rig.end(rig.submit("fine")).outcome is Outcome.OK


def test_a_crash_is_nobodys_failure_while_several_may_have_done_it(sharing_rig: Any) -> None:
    _crash_beside_others(sharing_rig, "segfault")


@pytest.mark.parametrize("fault", ["abort", "exit_at_once", "speak_for_the_worker"])
def test_whatever_the_crash_those_beside_it_are_lost(shared_rig: Any, fault: str) -> None:
    _crash_beside_others(shared_rig, fault)


def test_a_crash_of_one_that_was_alone_is_its_own(shared_rig: Any) -> None:
    guilty = shared_rig.submit("fault", fault="segfault")
    ended = shared_rig.end(guilty)
    assert ended.outcome is Outcome.CRASHED
    assert "SIGSEGV" in ended.failure.message
    assert "_segfault" in ended.failure.traceback
    assert "Segmentation fault" in Path(guilty.log_path).read_text()


def test_a_time_limit_is_asked_for_first_and_spares_the_others(shared_rig: Any) -> None:
    beside = shared_rig.submit("fault", fault="polite_loop")
    shared_rig.wait_for_progress(beside)
    late = shared_rig.submit("fault", fault="polite_loop", timeout_s=0.2)
    ended = shared_rig.end(late)
    assert ended.outcome is Outcome.TIMEOUT
    assert ended.failure.message == "faults.fault was ended after 0.2 s, its time limit"
    assert shared_rig.executor.alive() == {beside.token}


def test_one_that_ignores_its_time_limit_takes_the_others_along(shared_rig: Any) -> None:
    beside = shared_rig.submit("fault", fault="polite_loop")
    shared_rig.wait_for_progress(beside)
    late = shared_rig.submit("fault", fault="loop", timeout_s=0.2)
    assert shared_rig.end(late).outcome is Outcome.TIMEOUT
    assert shared_rig.end(beside).outcome is Outcome.LOST


def test_one_apart_and_one_shared_take_the_same_slots(rig: Any, faults: str) -> None:
    rig.start(LocalExecutor(1, pools={"network": 3}, plugins=[faults], grace_s=0.2))
    specs = [
        replace(rig.spec("fault", fault="polite_loop"), pool="network", shared=shared)
        for shared in (True, False)
    ]
    rig.executor.submit(*specs)
    for spec in specs:
        rig.wait_for_progress(spec)
    assert rig.executor.capacity() == {"cpu": 1, "network": 1}
    for spec in specs:
        rig.executor.cancel(spec.token, 60.0)
    rig.ends(*specs)
    assert rig.executor.capacity()["network"] >= 3


def test_no_more_run_at_once_than_there_are_slots(rig: Any, faults: str) -> None:
    rig.shared = True
    rig.start(LocalExecutor(2, plugins=[faults], grace_s=0.2))
    specs = [rig.submit("fault", fault="polite_loop") for _ in range(3)]
    for spec in specs[:2]:
        rig.wait_for_progress(spec)
    rig.executor.cancel(specs[0].token, 60.0)
    assert rig.end(specs[0]).outcome is Outcome.CANCELLED
    before = len(rig.events)
    rig.wait_for_progress(specs[2])
    started = [
        type(event).__name__ for event in rig.events[before:] if event.token == specs[2].token
    ]
    assert started[:1] == ["Started"]


def test_a_worker_that_grew_too_large_makes_room_for_another_when_its_last_attempt_is_over(
    rig: Any, faults: str
) -> None:
    rig.shared = True
    rig.start(LocalExecutor(4, plugins=[faults], grace_s=0.2, max_rss_bytes=1 << 30))
    grown = rig.submit("fault", fault="grow")
    assert rig.end(grown).outcome is Outcome.OOM
    assert rig.end(rig.submit("fine")).outcome is Outcome.OK


def test_what_nobody_can_tell_who_wrote_goes_to_all_that_run(shared_rig: Any) -> None:
    beside = [shared_rig.submit("fault", fault="polite_loop") for _ in range(2)]
    for spec in beside:
        shared_rig.wait_for_progress(spec)
    noisy = shared_rig.submit("fault", fault="garbage")
    assert shared_rig.end(noisy).outcome is Outcome.OK
    for spec in (noisy, *beside):
        assert b"\n[shared] " in (said := Path(spec.log_path).read_bytes())
        assert b"put by C" in said
    assert b"printed by Python" in Path(noisy.log_path).read_bytes()
    for spec in beside:
        assert b"printed by Python" not in Path(spec.log_path).read_bytes()


def test_a_stop_gives_back_all_of_them_and_leaves_no_process(shared_rig: Any) -> None:
    pid = shared_rig.end(shared_rig.submit("fine")).result.metadata["pid"]
    specs = [shared_rig.submit("fault", fault="loop") for _ in range(3)]
    for spec in specs:
        shared_rig.wait_for_progress(spec)
    shared_rig.executor.stop(drain=False, grace_s=0.1)
    assert {ended.outcome for ended in shared_rig.ends(*specs)} == {Outcome.LOST}
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_killing_the_worker_again_and_again_leaves_no_attempt_unresolved(shared_rig: Any) -> None:
    for _ in range(5):
        specs = [shared_rig.submit("fine") for _ in range(30)]
        ended = shared_rig.end(specs[0])
        if ended.outcome is Outcome.OK:
            os.kill(ended.result.metadata["pid"], signal.SIGKILL)
        outcomes = {ended.outcome for ended in shared_rig.ends(*specs)}
        assert outcomes <= {Outcome.OK, Outcome.LOST, Outcome.CRASHED}
    assert shared_rig.executor.alive() == set()


def test_an_interpreter_that_is_none_ends_attempts_in_words(rig: Any) -> None:
    rig.shared = True
    rig.start(LocalExecutor(2, python="/bin/false"))
    for ended in rig.ends(rig.submit("fine"), rig.submit("fine")):
        assert ended.outcome is Outcome.LOST
        assert "could not be started" in ended.failure.message
