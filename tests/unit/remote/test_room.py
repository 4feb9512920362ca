"""Copies of remote files take no more room than they may."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mediahost.remote import part, room
from mediahost.remote.room import Room

HOLD = """
import sys
from pathlib import Path
from mediahost.remote.room import Room
let_go = Room(Path("."), 0).hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Any:
    """Puts copies of 100 bytes on a shelf, used so many seconds ago."""

    def put(name: str, age_s: float) -> Path:
        path = tmp_path / "ab" / name / "version" / f"{name}.wav"
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(100))
        used_at = path.stat().st_mtime - age_s
        os.utime(path.parent, (used_at, used_at))
        return path

    return put


def there(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.rglob("*.wav"))


def test_the_copies_that_were_not_used_for_longest_go(shelf: Any, tmp_path: Path) -> None:
    for name, age_s in {"new": 100, "oldest": 900, "old": 800, "middle": 500}.items():
        shelf(name, age_s)
    Room(tmp_path, 250).make(0)
    assert there(tmp_path) == ["middle", "new"]
    assert sorted(path.name for path in (tmp_path / "ab").iterdir()) == ["middle", "new"]


def test_while_there_is_room_nothing_goes(shelf: Any, tmp_path: Path) -> None:
    for name in "abc":
        shelf(name, 900)
    kept = Room(tmp_path, 400)
    kept.make(100)
    assert there(tmp_path) == ["a", "b", "c"]
    for name in "de":
        shelf(name, 800)
        kept.make(100)
    assert len(there(tmp_path)) < 5


def test_a_copy_that_somebody_uses_now_stays(shelf: Any, tmp_path: Path) -> None:
    reused = shelf("reused", 900)
    shelf("other", 800)
    room.used(reused)
    Room(tmp_path, 100).make(0)
    assert there(tmp_path) == ["reused"]


def test_a_copy_that_just_came_stays_however_little_room_there_is(
    shelf: Any, tmp_path: Path
) -> None:
    shelf("fresh", 1)
    Room(tmp_path, 10).make(0)
    assert there(tmp_path) == ["fresh"]


def test_a_copy_that_another_process_holds_stays(shelf: Any, tmp_path: Path) -> None:
    held, kept = shelf("held", 900), Room(tmp_path, 50)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, held], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        kept.make(0)
        assert there(tmp_path) == ["held"]
        holder.kill()
        holder.wait()
    kept.make(100)
    assert there(tmp_path) == []


def test_what_is_gone_can_not_be_held_and_what_was_let_go_can_go(
    shelf: Any, tmp_path: Path
) -> None:
    one, kept = shelf("one", 900), Room(tmp_path, 50)
    let_go = kept.hold(one)
    assert let_go
    assert not room.remove(one)
    let_go()
    assert room.remove(one)
    assert kept.hold(one) is None


def test_a_cache_makes_room_and_fetches_again_what_it_removed(
    site: Any, cache: Any, sound: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FRESH_S", -1.0)
    kept = cache(keep_bytes=2 * len(sound) + 10)
    for name in ("one", "two", "three"):
        site.files[f"/{name}.wav"] = sound
        found = kept.fetch(site.url(f"{name}.wav"), "blake3")
        os.utime(found.path.parent, (len(site.asked), len(site.asked)))
    assert kept.copy_of(site.url("one.wav"), "blake3") is None
    assert kept.copy_of(site.url("three.wav"), "blake3") is not None
    again = kept.fetch(site.url("one.wav"), "blake3")
    assert again.path.read_bytes() == sound
    assert kept.hold(again) is not None


def test_who_waits_for_a_file_learns_how_much_has_come(
    site: Any, cache: Any, sound: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "TELL_S", 0.0)
    heard: list[tuple[int, int | None]] = []
    cache().fetch(site.url("tone.wav"), "blake3", lambda *so_far: heard.append(so_far))
    assert heard[-1] == (len(sound), len(sound))
    assert heard == sorted(heard)
