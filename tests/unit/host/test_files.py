import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mediahost.cached import HashedFile
from mediahost.hashing import RACY_NS, ChangedWhileHashing, hash_file
from mediahost.host.found import Problem
from mediahost.host.walk import walk

if TYPE_CHECKING:
    from tests.unit.host.conftest import House

LATER_NS = 10 * RACY_NS


def names(found: Any) -> list[str]:
    return [Path(file.path).name for file in found]


def test_a_walk_finds_media_files_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b.wav", "a/z.mp4", "a/B.PDF", "c.txt", ".hidden.wav", ".folder/x.wav"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()

    walked = walk([tmp_path])

    assert names(walked.found) == ["b.wav", "B.PDF", "z.mp4"]
    assert walked.ignored == 1
    assert walked.problems == []


def test_a_walk_meets_no_file_twice_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.wav").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "link.wav").symlink_to(tmp_path / "below" / "a.wav")

    several: list[list[str | Path]] = [
        [tmp_path],
        [tmp_path, tmp_path / "below"],
        [tmp_path / "below", tmp_path],
        [tmp_path / "below" / "a.wav", tmp_path, f"{tmp_path}/below/../below/a.wav"],
    ]
    for paths in several:
        assert names(walk(paths).found) == ["a.wav"], paths


def test_a_link_that_is_named_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    (tmp_path / "link.wav").symlink_to("a.wav")

    assert names(walk([tmp_path / "link.wav"]).found) == ["link.wav"]


def test_a_walk_does_not_enter_what_it_shall_skip(tmp_path: Path) -> None:
    for name in ("out/a.wav", "keep/b.wav"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()

    assert names(walk([tmp_path], skip=[tmp_path / "out"]).found) == ["b.wav"]
    assert names(walk([tmp_path / "out"], skip=[tmp_path / "out"]).found) == ["a.wav"]


def test_what_is_named_and_no_media_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    os.mkfifo(tmp_path / "pipe.wav")

    walked = walk([tmp_path / "notes.txt", tmp_path / "pipe.wav", tmp_path / "none.wav"])

    assert walked.found == []
    assert [problem.message for problem in walked.problems] == [
        f"{tmp_path}/notes.txt is not a media file that mediahost knows",
        f"{tmp_path}/pipe.wav is not a regular file",
        f"{tmp_path}/none.wav: No such file or directory",
    ]


def test_a_settled_file_is_read_once(house: "House", hashed_paths: list[str]) -> None:
    house.tone()
    house.clock.now_ns += LATER_NS

    first = house.roots()
    again = house.roots()

    assert first == again
    assert hashed_paths == ["a.wav"]
    assert house.files.of(first[0].path) == first[0].file_hash
    assert hashed_paths == ["a.wav"]


def test_a_file_hashed_within_the_racy_time_is_read_again(
    house: "House", hashed_paths: list[str]
) -> None:
    path = house.tone()
    changed_ns = path.stat().st_mtime_ns

    house.clock.now_ns = changed_ns + RACY_NS
    house.roots()
    house.roots()
    assert hashed_paths == ["a.wav"] * 2

    house.clock.now_ns = changed_ns + RACY_NS + 1
    house.roots()
    assert len(hashed_paths) == 3
    house.roots()
    house.files.of(str(path))
    assert len(hashed_paths) == 3


def test_a_time_of_the_future_is_never_trusted(house: "House", hashed_paths: list[str]) -> None:
    path = house.tone()
    house.clock.now_ns += LATER_NS
    future = house.clock.now_ns + LATER_NS
    os.utime(path, ns=(future, future))

    house.roots()
    house.roots()

    assert hashed_paths == ["a.wav"] * 2


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(path.read_bytes()[::-1]),
        lambda path: path.write_bytes(path.read_bytes() + b"x"),
        lambda path: path.replace(path.with_name("b.wav")),
        lambda path: path.touch(),
    ],
    ids=["same size", "longer", "renamed", "touched"],
)
def test_a_file_whose_stat_changed_is_read_again(
    house: "House", hashed_paths: list[str], change: Callable[[Path], Any]
) -> None:
    path = house.tone()
    house.clock.now_ns += LATER_NS
    before = path.stat()
    house.roots()

    change(path)
    for left in house.media.iterdir():
        os.utime(left, ns=(before.st_atime_ns, before.st_mtime_ns))
    (root,) = house.roots()

    assert len(hashed_paths) == 2
    assert root.file_hash == hash_file(root.path)[0]


def test_the_store_is_not_asked_about_a_file_that_was_just_seen(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediahost.host.files.MOST_RECENT", 1)
    first, last = house.tone("a.wav"), house.tone("b.wav", 550)
    house.clock.now_ns += LATER_NS
    hashes = {root.path: root.file_hash for root in house.roots()}
    asked: list[str] = []
    recall = house.store.recall_hash

    def recall_and_note(folder: str, name: str) -> HashedFile | None:
        asked.append(name)
        return recall(folder, name)

    monkeypatch.setattr(house.store, "recall_hash", recall_and_note)

    assert house.files.of(str(last)) == hashes[str(last)]
    assert asked == []
    assert house.files.of(str(first)) == hashes[str(first)]
    assert asked == ["a.wav"], "the room in memory is limited"


def test_a_file_that_was_just_seen_is_read_again_when_it_changed(house: "House") -> None:
    path = house.tone()
    house.clock.now_ns += LATER_NS
    (root,) = house.roots()
    path.write_bytes(path.read_bytes()[::-1])

    assert house.files.of(str(path)) == hash_file(path)[0] != root.file_hash


def test_a_file_that_is_being_written_is_left_for_the_next_run(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    house.tone("a.wav")
    house.tone("b.wav", 550)

    def changing(path: str, *args: Any, **kwargs: Any) -> Any:
        if path.endswith("a.wav"):
            raise ChangedWhileHashing(path)
        return hash_file(path, *args, **kwargs)

    monkeypatch.setattr("mediahost.host.files.hash_file", changing)
    problems: list[Problem] = []
    found = house.files.of_found(walk([house.media]).found, problems)

    assert names(found) == ["b.wav"]
    assert problems[0].message.endswith("a.wav is being written; it is left for the next run")
    with pytest.raises(ChangedWhileHashing):
        house.files.of(str(house.media / "a.wav"))


def test_progress_counts_the_files_that_are_read(house: "House") -> None:
    for number in range(3):
        house.tone(f"{number}.wav", 300 + number)
    told: list[tuple[int, int]] = []

    house.files.of_found(
        walk([house.media]).found, [], lambda done, total: told.append((done, total))
    )

    assert told == [(1, 3), (2, 3), (3, 3)]


def test_unchanged_files_are_those_with_the_hash_they_had(house: "House") -> None:
    same, other, gone = (house.tone(f"{name}.wav", 300 + i) for i, name in enumerate("abc"))
    expected = {str(path): hash_file(path)[0] for path in (same, other, gone)}
    other.write_bytes(b"something else")
    gone.unlink()

    assert house.files.unchanged(expected) == {str(same)}
