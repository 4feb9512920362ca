import subprocess
import sys
from pathlib import Path

from mediahost.executor import reaper
from mediahost.executor.groups import Groups


def _sleeper() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(["sleep", "600"], start_new_session=True)


def test_the_groups_that_are_left_are_known() -> None:
    assert reaper.groups_left(["+1\n", "+2\n", "-1\n", "-5\n", "+3\n"]) == {2, 3}


def test_the_reaper_needs_the_standard_library_alone() -> None:
    program = [sys.executable, "-I", "-S", str(Path(reaper.__file__))]
    assert subprocess.run(program, stdin=subprocess.DEVNULL, check=True).returncode == 0


def test_groups_that_are_left_when_the_pipe_closes_are_ended() -> None:
    groups = Groups()
    with _sleeper() as left, _sleeper() as removed:
        groups.add(left.pid)
        groups.add(removed.pid)
        groups.remove(removed.pid)
        groups.close()
        assert left.wait(20) == -9
        assert removed.poll() is None
        removed.kill()


def test_a_reaper_that_was_killed_is_replaced_by_one_that_knows_all_groups() -> None:
    groups = Groups()
    with _sleeper() as first, _sleeper() as second:
        groups.add(first.pid)
        victim = groups._reaper
        assert victim is not None
        victim.kill()
        victim.wait()
        groups.add(second.pid)
        groups.close()
        assert [first.wait(20), second.wait(20)] == [-9, -9]
