import dataclasses
import errno
import os
import time
from pathlib import Path

import pytest

from mediahost.host.found import Problem
from mediahost.host.publish import Publisher
from mediahost.host.run import RowState, RunRow


def row(root: Path, *artifacts: Path, media: Path | None = None) -> RunRow:
    return RunRow(
        RowState.DONE,
        "t.cut",
        "t.cut",
        str(media or root),
        str(root),
        artifacts=tuple(map(str, artifacts)),
    )


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "preview.jpg"
    path.parent.mkdir()
    path.write_bytes(b"made")
    return path


def published(publisher: Publisher, *rows: RunRow) -> list[str]:
    problems: list[Problem] = []
    after = publisher.publish(rows, problems)
    assert problems == []
    return [path for one in after for path in one.artifacts]


def test_copies_lie_as_the_files_that_they_were_made_from(tmp_path: Path, artifact: Path) -> None:
    top, out = tmp_path / "media", tmp_path / "out"
    (top / "below").mkdir(parents=True)
    publisher = Publisher(out, [top])

    assert published(publisher, row(top / "below" / "film.mp4", artifact)) == [
        str(out / "below" / "film.preview.jpg")
    ]
    assert (out / "below" / "film.preview.jpg").read_bytes() == b"made"


def test_an_artifact_of_an_artifact_lies_by_the_first_file(tmp_path: Path, artifact: Path) -> None:
    top, out = tmp_path / "media", tmp_path / "out"
    (top / "below").mkdir(parents=True)
    made_from = tmp_path / "data" / "part1.wav"

    (copy,) = published(
        Publisher(out, [top]), row(top / "below" / "song.wav", artifact, media=made_from)
    )

    assert copy == str(out / "below" / "song.part1.preview.jpg")


def test_a_name_that_is_taken_is_left_to_its_owner(tmp_path: Path, artifact: Path) -> None:
    film, out = tmp_path / "film.mp4", tmp_path / "out"
    out.mkdir()
    (out / "film.preview.jpg").write_bytes(b"mine")
    (out / "film.preview.2.jpg").symlink_to("nowhere")

    first = published(Publisher(out, [film]), row(film, artifact))
    again = published(Publisher(out, [film]), row(film, artifact))

    assert first == again == [str(out / "film.preview.3.jpg")]
    assert (out / "film.preview.jpg").read_bytes() == b"mine"
    assert sorted(path.name for path in out.iterdir()) == [
        "film.preview.2.jpg",
        "film.preview.3.jpg",
        "film.preview.jpg",
    ]


def test_a_name_that_is_taken_at_the_last_moment_is_left_alone(
    tmp_path: Path, artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, out = tmp_path / "film.mp4", tmp_path / "out"
    link = os.link

    def late(source: Path, target: Path) -> None:
        if target.name == "film.preview.jpg":
            target.write_bytes(b"mine")
        link(source, target)

    monkeypatch.setattr(os, "link", late)

    assert published(Publisher(out, [film]), row(film, artifact)) == [
        str(out / "film.preview.2.jpg")
    ]
    assert (out / "film.preview.jpg").read_bytes() == b"mine"


def test_a_disk_without_links_is_good_enough(
    tmp_path: Path, artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_source: Path, _target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    film, out = tmp_path / "film.mp4", tmp_path / "out"

    (copy,) = published(Publisher(out, [film]), row(film, artifact))

    assert Path(copy).read_bytes() == b"made"
    assert [path.name for path in out.iterdir()] == ["film.preview.jpg"]


def test_a_copy_that_can_not_be_written_is_a_problem_of_its_own(
    tmp_path: Path, artifact: Path
) -> None:
    film, out = tmp_path / "film.mp4", tmp_path / "out"
    out.write_bytes(b"a file where a folder should be")
    problems: list[Problem] = []

    (after,) = Publisher(out, [film]).publish([row(film, artifact)], problems)

    # The artifact itself is there, and is what the row tells of.
    assert after.artifacts == (str(artifact),)
    assert len(problems) == 1
    assert "can't be written" in problems[0].message


def test_a_copy_has_the_times_of_its_source(tmp_path: Path, artifact: Path) -> None:
    film, out = tmp_path / "film.mp4", tmp_path / "out"
    film.write_bytes(b"film")
    os.utime(film, ns=(10**18, 10**18))
    (copy,) = published(Publisher(out, [film]), row(film, artifact))
    assert Path(copy).stat().st_mtime_ns == 10**18


def test_a_copy_is_of_now_where_the_setting_says_so(tmp_path: Path, artifact: Path) -> None:
    film, out = tmp_path / "film.mp4", tmp_path / "out"
    film.write_bytes(b"film")
    os.utime(film, ns=(10**18, 10**18))
    begun = time.time() - 2  # a file system's clock may be behind
    (copy,) = published(Publisher(out, [film], output_times="now"), row(film, artifact))
    assert Path(copy).stat().st_mtime >= begun


def test_copies_of_two_steps_of_one_name_have_the_steps_in_it(
    tmp_path: Path, artifact: Path
) -> None:
    film, out = tmp_path / "film.mp4", tmp_path / "out"
    other = artifact.with_name("other") / artifact.name
    other.parent.mkdir()
    other.write_bytes(b"made by another")
    rows = [row(film, artifact), dataclasses.replace(row(film, other), step="small")]
    assert published(Publisher(out, [film]), *rows) == [
        str(out / "film.t.cut.preview.jpg"),
        str(out / "film.small.preview.jpg"),
    ]
