import os
import signal
import subprocess
import sys

from mediahost.host import identity
from mediahost.host.identity import (
    host_of,
    id_of,
    new_host_name,
    new_source_name,
    process_of,
    shares_our_kernel,
)


def name_with(**parts: str) -> str:
    names = ("machine", "place", "pid", "started", "id")
    own = dict(zip(names, new_host_name().split("/"), strict=True))
    return "/".join({**own, **parts}.values())


def test_each_host_has_an_id_of_its_own() -> None:
    ids = {id_of(new_host_name()) for _ in range(100)}
    assert len(ids) == 100
    assert None not in ids


def test_what_is_no_name_of_a_host_has_no_id() -> None:
    assert id_of("") is None
    assert id_of("user") is None
    assert id_of("a/b/c/d/..") is None


def test_a_process_is_known_by_its_number_its_start_and_its_namespace() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = name_with(pid=str(child.pid), started=identity._started(child.pid))
    assert process_of(name) == child.pid
    boot, _, _ = identity._place().partition(":")
    # The same number in another container, or before a restart, is another process.
    assert process_of(name_with(place=f"{boot}:1")) is None
    assert process_of(name_with(place="00000000-0000-0000-0000-000000000000")) is None
    assert process_of(name_with(started="1")) is None

    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    # Not even waited for by its parent yet: a zombie runs nothing.
    assert process_of(name) is None
    child.communicate()
    assert process_of(name) is None


def test_containers_share_a_kernel_and_machines_do_not() -> None:
    boot, _, _ = identity._place().partition(":")
    assert shares_our_kernel(name_with(place=f"{boot}:1", machine="elsewhere"))
    assert shares_our_kernel(name_with(place=boot))
    assert not shares_our_kernel(name_with(place="00000000-0000-0000-0000-000000000000:1"))
    assert not shares_our_kernel("user")


def test_a_process_name_with_parentheses_is_read_right() -> None:
    script = "import ctypes; ctypes.CDLL(None).prctl(15, b'a) Z 1 (b', 0, 0, 0); print(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        child.stdout.readline()
        assert int(identity._started(child.pid)) > 0
        child.communicate("\n")


def test_a_source_says_which_host_will_claim_its_jobs() -> None:
    name = new_host_name()
    assert host_of(new_source_name(name)) == name
    assert host_of("user") == ""
