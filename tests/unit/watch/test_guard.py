"""Is the watched folder the one that it was?"""

from pathlib import Path

import pytest

from mediahost.host.mounts import file_system_of, gives_events, is_shared
from mediahost.watch.guard import MARKER, Guard, is_too_much


def test_a_folder_that_is_marked_is_the_right_one(tmp_path: Path) -> None:
    guard = Guard()
    assert guard.why_missing(str(tmp_path), has_files=False) is None
    guard.remember(str(tmp_path))
    assert (tmp_path / MARKER).exists()
    assert guard.why_missing(str(tmp_path), has_files=True) is None


def test_an_empty_folder_without_its_marker_is_a_missing_drive(tmp_path: Path) -> None:
    guard = Guard()
    guard.remember(str(tmp_path))
    (tmp_path / MARKER).unlink()
    assert "is its drive mounted?" in str(guard.why_missing(str(tmp_path), has_files=True))
    assert guard.why_missing(str(tmp_path), has_files=False) is None
    (tmp_path / "a.wav").touch()
    assert guard.why_missing(str(tmp_path), has_files=True) is None


def test_another_drive_is_told_by_its_device(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    guard = Guard(device=-1, marked=False)
    told = guard.why_missing(str(tmp_path), has_files=True)
    assert told == "another drive is mounted here"


def test_no_folder_at_all(tmp_path: Path) -> None:
    told = Guard().why_missing(str(tmp_path / "none"), has_files=False)
    assert told == "the folder can't be opened: No such file or directory"


@pytest.mark.parametrize(
    ("gone", "known", "much"), [(9, 9, False), (10, 20, False), (10, 19, True), (11, 100, False)]
)
def test_how_much_is_too_much(gone: int, known: int, much: bool) -> None:
    assert is_too_much(gone, known) is much


def test_file_systems_are_told_apart(tmp_path: Path) -> None:
    assert file_system_of(str(tmp_path))
    assert file_system_of("/proc/self") == "proc"
    events = {name: gives_events(name) for name in ("ext4", "tmpfs", "nfs4", "cifs", "fuse.sshfs")}
    assert events == {
        "ext4": True, "tmpfs": True, "nfs4": False, "cifs": False, "fuse.sshfs": False,
    }  # fmt: skip


def test_what_other_machines_write_to_is_no_place_for_a_store() -> None:
    shared = {name for name in ("ext4", "btrfs", "nfs4", "cifs", "fuseblk") if is_shared(name)}
    assert shared == {"nfs4", "cifs"}
