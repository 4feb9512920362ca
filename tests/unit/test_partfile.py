"""Part files: whole or not at all, under names that nobody shares, and swept only if dead."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mediahost import partfile
from mediahost.partfile import PartFile, rename_new, sweep_once, write_text

HOLD = """
import sys
from pathlib import Path
from mediahost.partfile import PartFile
part = PartFile(Path(sys.argv[1]))
part.file.write(b"half")
part.file.flush()
print(part.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _swept_again() -> None:
    sweep_once.cache_clear()


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def held(target: Path) -> "tuple[subprocess.Popen[str], Path]":
    """Another process that is writing."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def test_a_part_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "talk.mp3"
    with PartFile(target) as part:
        part.file.write(b"whole")
        assert not target.exists()
        part.keep_new()
    assert names_in(tmp_path) == ["talk.mp3"]
    assert target.read_bytes() == b"whole"
    with PartFile(target) as part, pytest.raises(FileExistsError):
        part.keep_new()
    with PartFile(target) as part:
        part.file.write(b"another")
        part.replace()
    assert target.read_bytes() == b"another"


def test_what_fails_leaves_nothing_and_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "talk.mp3"
    write_text(target, "first")
    with pytest.raises(UnicodeEncodeError):
        write_text(target, "second \ud800")
    with PartFile(target) as part:
        part.file.write(b"second")
    assert target.read_text() == "first"
    assert names_in(tmp_path) == ["talk.mp3"]


def _write_often(target: Path, text: str) -> None:
    for _ in range(20):
        write_text(target, text)


def test_writers_of_one_name_never_share_a_part(tmp_path: Path) -> None:
    target = tmp_path / "talk.json"
    texts = [f"{number}" * 50_000 for number in range(8)]
    threads = [threading.Thread(target=_write_often, args=(target, text)) for text in texts]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if target.exists():
            assert target.read_text() in texts
    assert names_in(tmp_path) == ["talk.json"]


def test_only_what_a_dead_process_left_is_swept(tmp_path: Path) -> None:
    process, path = held(tmp_path / "talk.mp3")
    others = [".123.part", ".talk.mp3.99.part", "mine.part", ".mediahost-nothing.part"]
    for name in others:
        (tmp_path / name).touch()
    try:
        sweep_once(str(tmp_path))
        assert path.read_bytes() == b"half"
    finally:
        process.kill()
        process.communicate()
    sweep_once.cache_clear()
    sweep_once(str(tmp_path))
    assert not path.exists()
    assert names_in(tmp_path) == sorted(others)


def test_a_part_of_another_machine_is_swept_when_it_has_been_quiet_for_a_day(
    tmp_path: Path,
) -> None:
    process, path = held(tmp_path / "talk.mp3")
    process.kill()
    process.communicate()
    theirs = path.rename(tmp_path / f".mediahost-00000000-{path.stem[-16:]}.part")
    sweep_once(str(tmp_path))
    assert theirs.exists()
    long_ago = time.time() - partfile.QUIET_S - 60
    os.utime(theirs, (long_ago, long_ago))
    sweep_once.cache_clear()
    sweep_once(str(tmp_path))
    assert not theirs.exists()


def test_a_private_part_is_its_owners_alone(tmp_path: Path) -> None:
    write_text(tmp_path / "note", "secret", private=True)
    assert (tmp_path / "note").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("missing", ["nothing", "links", "links and renameat2"])
def test_a_rename_never_takes_a_name_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    if missing != "nothing":

        def refuse(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
    if missing.endswith("renameat2"):
        monkeypatch.setattr(partfile, "_rename", lambda *_: False)
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_text("a")
    target.write_text("b")
    with pytest.raises(FileExistsError):
        rename_new(source, target)
    assert (source.read_text(), target.read_text()) == ("a", "b")
    target.unlink()
    rename_new(source, target)
    assert names_in(tmp_path) == ["b"]
    assert target.read_text() == "a"
