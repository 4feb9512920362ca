import os
import signal
import subprocess
import sys

from mediahost.host import identity
from mediahost.host.identity import is_abandoned, is_gone, new_host_name, new_source_name


def name_with(**parts: str) -> str:
    names = ("machine", "boot", "pid", "started", "nonce")
    own = dict(zip(names, new_host_name().split("/"), strict=True))
    return "/".join({**own, **parts}.values())


def test_a_host_in_this_process_is_there() -> None:
    assert not is_gone(new_host_name())
    assert new_host_name() != new_host_name()


def test_a_host_whose_process_ended_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = name_with(pid=str(child.pid), started=identity._started(child.pid))
    assert not is_gone(name)

    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    # Not even waited for by its parent yet: a zombie runs nothing.
    assert is_gone(name)
    child.communicate()
    assert is_gone(name)


def test_a_process_with_a_used_number_is_another_host() -> None:
    assert is_gone(name_with(started="1"))


def test_a_host_of_another_boot_is_gone() -> None:
    assert is_gone(name_with(boot="00000000-0000-0000-0000-000000000000"))


def test_of_another_machine_nothing_is_known() -> None:
    assert not is_gone(name_with(machine="elsewhere", pid="1", started="1"))
    assert not is_gone("not a name of ours")
    assert not is_gone("")


def test_a_process_name_with_parentheses_is_read_right() -> None:
    script = "import ctypes; ctypes.CDLL(None).prctl(15, b'a) Z 1 (b', 0, 0, 0); print(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        child.stdout.readline()
        assert int(identity._started(child.pid)) > 0
        child.communicate("\n")


def test_a_source_is_abandoned_when_its_host_is_gone() -> None:
    assert not is_abandoned(new_source_name(new_host_name()))
    assert is_abandoned(new_source_name(name_with(started="1")))
    assert not is_abandoned("user")
