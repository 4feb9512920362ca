import os
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mediahost.host import life_locks
from mediahost.host.identity import id_of, new_host_name, new_source_name
from mediahost.host.life_locks import FOLDER, LifeLocks, Lock
from mediahost.host.roster import SHORTEST_SILENCE_S, Roster
from mediahost.model.hosts import Heartbeat, HostStatus, HostView

LEASE_S = 60.0

# Holds the lock of a name for as long as it lives.
HOLD = """
import sys
from pathlib import Path
from mediahost.host.life_locks import LifeLocks
LifeLocks(Path(sys.argv[1])).hold(sys.argv[2])
print("held", flush=True)
input()
"""


class Heard:
    """A store that has heard of some hosts so many seconds ago."""

    def __init__(self, **silent_s: float) -> None:
        self.silent_s = dict(silent_s)
        self.proofs: set[str] = set()

    def hosts(self) -> list[HostView]:
        return [
            HostView(
                Heartbeat(name, "there", 1, "1", "local", 1, 0, HostStatus.IDLE),
                datetime.now(UTC),
                silent_s,
            )
            for name, silent_s in self.silent_s.items()
        ]

    def proven(self, names: Collection[str]) -> set[str]:
        return self.proofs & set(names)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def roster(heard: Heard, tmp_path: Path) -> Roster:
    return Roster(heard, tmp_path, LEASE_S)


@pytest.fixture
def other(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process, which holds the lock of the host that its last argument names."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), new_host_name()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def name_of(process: "subprocess.Popen[str]") -> str:
    assert isinstance(process.args, list)
    return str(process.args[-1])


def moved(name: str, **parts: str) -> str:
    """The name as a host elsewhere would have it."""
    machine, place, pid, started, own = name.split("/")
    return "/".join((parts.get("machine", machine), parts.get("place", place), pid, started, own))


def test_a_host_lives_while_its_lock_is_held_whatever_its_machine_is_called(
    roster: Roster, other: "subprocess.Popen[str]"
) -> None:
    name = moved(name_of(other), machine="container-1")
    assert not roster.is_gone(name)

    other.kill()
    other.wait()
    assert roster.is_gone(name)


def test_a_host_of_another_process_namespace_is_judged_by_its_lock(
    roster: Roster, other: "subprocess.Popen[str]"
) -> None:
    # Process 1 of another container: the number means another process here.
    name = moved(name_of(other), place="another-boot:4026531836")
    assert not roster.is_gone(name)
    other.kill()
    other.wait()
    assert roster.is_gone(name)


def test_a_host_without_a_lock_here_lives_while_it_is_heard(roster: Roster, heard: Heard) -> None:
    name = new_host_name()
    assert roster.is_gone(name)

    heard.silent_s[name] = LEASE_S - 1
    assert not Roster(heard, Path("/nowhere"), LEASE_S).is_gone(name)
    heard.silent_s[name] = LEASE_S + 1
    assert Roster(heard, Path("/nowhere"), LEASE_S).is_gone(name)
    heard.proofs.add(name)
    assert not Roster(heard, Path("/nowhere"), LEASE_S).is_gone(name)


def test_a_short_lease_takes_no_host_for_dead_between_two_heartbeats(heard: Heard) -> None:
    name = new_host_name()
    heard.silent_s[name] = SHORTEST_SILENCE_S - 1
    assert not Roster(heard, Path("/nowhere"), lease_s=1).is_gone(name)


def test_on_a_network_drive_only_locks_of_this_kernel_count(
    roster: Roster,
    heard: Heard,
    other: "subprocess.Popen[str]",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(life_locks, "file_system_of", lambda _folder: "nfs4")
    here, there = name_of(other), moved(name_of(other), place="another-boot")
    other.kill()
    other.wait()
    # The other machine's lock can't be seen here, though it may be held: the heartbeats decide.
    heard.silent_s[there] = 1.0
    assert not roster.is_gone(there)
    assert roster.is_gone(here)


def test_a_host_in_this_process_lives_until_it_ends(roster: Roster, tmp_path: Path) -> None:
    name = new_host_name()
    lock = LifeLocks(tmp_path).hold(name)
    assert not roster.is_gone(name)
    lock.end()
    assert roster.is_gone(name)
    assert not any((tmp_path / FOLDER).iterdir())


def test_a_forked_child_proves_no_life_of_its_parent(tmp_path: Path) -> None:
    name = new_host_name()
    script = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from mediahost.host.life_locks import LifeLocks\n"
        "LifeLocks(Path(sys.argv[1])).hold(sys.argv[2])\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    time.sleep(60)\n"
        "print(child, flush=True)\n"
        "os._exit(0)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), name], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    child = int(process.stdout.readline())
    try:
        process.wait()
        # The child lets go as soon as it runs.
        ends_at = time.monotonic() + 10
        while LifeLocks(tmp_path).look(name) is Lock.HELD and time.monotonic() < ends_at:
            time.sleep(0.01)
        assert LifeLocks(tmp_path).look(name) is Lock.FREE
    finally:
        os.kill(child, 9)
        process.stdout.close()


def test_lock_files_of_hosts_that_are_gone_are_swept(
    roster: Roster, heard: Heard, other: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    known, mine, living = new_host_name(), new_host_name(), name_of(other)
    held = LifeLocks(tmp_path).hold(mine)
    (tmp_path / FOLDER / str(id_of(known))).touch()
    (tmp_path / FOLDER / "0123456789abcdef").touch()
    heard.silent_s[known] = 1.0

    roster.sweep()

    left = {path.name for path in (tmp_path / FOLDER).iterdir()}
    assert left == {id_of(known), id_of(mine), id_of(living)}
    held.end()


def test_a_source_is_abandoned_when_its_host_is_gone(
    roster: Roster, other: "subprocess.Popen[str]"
) -> None:
    source = new_source_name(name_of(other))
    assert not roster.is_abandoned(source)
    assert not roster.is_abandoned("user")
    other.kill()
    other.wait()
    assert roster.is_abandoned(source)
