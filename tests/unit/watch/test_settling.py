"""When a file is whole, on real files with real writers."""

import os
import time
from pathlib import Path

import pytest

from mediahost.hashing import FileStat
from mediahost.host.found import FoundFile
from mediahost.host.writers import Writers, writers_of
from mediahost.model.kinds import MediaKind
from mediahost.watch.settling import Settling

SETTLE_S = 0.15


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "a.wav"
    made.write_bytes(b"sound")
    return made


def found(path: Path) -> FoundFile:
    return FoundFile(str(path), "", path.name, MediaKind.AUDIO, FileStat.of(path.stat()))


def wait_until_ready(settling: Settling, most_s: float = 10) -> float:
    began = time.monotonic()
    while time.monotonic() - began < most_s:
        ready, _ = settling.check(10)
        if ready:
            return time.monotonic() - began
        time.sleep(0.005)
    pytest.fail("it never was ready")


def test_a_closed_file_is_taken_at_once_and_another_must_be_at_rest(path: Path) -> None:
    settling = Settling(SETTLE_S)
    settling.touch(found(path), None, closed=True)
    assert wait_until_ready(settling) < SETTLE_S
    os.utime(path)
    settling.touch(found(path), None, closed=False)
    assert wait_until_ready(settling) >= SETTLE_S * 0.9


def test_a_file_at_rest_for_long_need_not_rest_anew(path: Path) -> None:
    time.sleep(SETTLE_S)
    settling = Settling(SETTLE_S)
    settling.touch(found(path), None, closed=False)
    ready, _ = settling.check(10)
    assert [one.file.path for one in ready] == [str(path)]


def test_while_somebody_has_it_open_it_is_not_ready(path: Path) -> None:
    settling = Settling(SETTLE_S)
    with path.open("ab"):
        settling.touch(found(path), None, closed=True)
        time.sleep(SETTLE_S * 2)
        assert settling.check(10) == ([], [])
        (settler,) = settling
        assert settler.reason == "another program has it open for writing"
        assert not settler.is_hopeful
    wait_until_ready(settling)


def test_an_empty_file_waits_for_content(path: Path) -> None:
    path.write_bytes(b"")
    settling = Settling(SETTLE_S)
    settling.touch(found(path), None, closed=True)
    time.sleep(SETTLE_S * 2)
    assert settling.check(10) == ([], [])
    (settler,) = settling
    assert not settler.is_hopeful
    path.write_bytes(b"sound")
    settling.touch(found(path), None, closed=True)
    wait_until_ready(settling)


def test_a_file_that_went_is_gone(path: Path) -> None:
    settling = Settling(SETTLE_S)
    settling.touch(found(path), None, closed=False)
    path.unlink()
    ready, gone = settling.check(10)
    assert (ready, [one.file.path for one in gone]) == ([], [str(path)])


def test_the_kernel_tells_of_writers(path: Path) -> None:
    assert writers_of(str(path)) is Writers.NONE
    with path.open("rb"):
        assert writers_of(str(path)) is Writers.NONE
    with path.open("r+b"):
        assert writers_of(str(path)) is Writers.SOME
    assert writers_of(str(path)) is Writers.NONE


def test_a_file_that_must_be_old_waits_whatever_was_seen(path: Path) -> None:
    os.utime(path)
    settling = Settling(SETTLE_S, min_age_s=0.8)
    settler = settling.touch(found(path), None, closed=True)
    time.sleep(0.1)
    assert settling.check(10) == ([], [])
    assert "too young" in settler.reason
    # Nobody waits for it: with --once it is left for the next time.
    assert not settler.is_hopeful
    assert wait_until_ready(settling) >= 0.3
