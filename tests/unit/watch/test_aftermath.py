"""What becomes of a person's file: nothing is lost, whatever goes wrong half-way."""

from pathlib import Path

import pytest

from mediahost.hashing import FileStat, hash_file
from mediahost.model.watch import Watch
from mediahost.watch.aftermath import Kept, after_failure, after_success, replace
from mediahost.watch.outputs import Written


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "a.wav"
    path.parent.mkdir()
    path.write_bytes(b"a person's own")
    return path


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    path = tmp_path / "made.wav"
    path.write_bytes(b"made")
    return path


def stat_of(path: Path) -> FileStat:
    return FileStat.of(path.lstat())


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_artifact_takes_the_place_of_a_file(source: Path, artifact: Path) -> None:
    replace(source, stat_of(source), artifact, hash_file(artifact)[0])
    assert source.read_bytes() == b"made"
    assert names_in(source.parent) == ["a.wav"]


@pytest.mark.parametrize("suffix", [".wav", ".mp3"])
def test_a_damaged_artifact_leaves_the_file_as_it_was(
    source: Path, artifact: Path, suffix: str
) -> None:
    good = hash_file(artifact)[0]
    artifact = artifact.rename(artifact.with_suffix(suffix))
    artifact.write_bytes(b"rot")
    with pytest.raises(Kept, match="could not be copied whole"):
        replace(source, stat_of(source), artifact, good)
    assert source.read_bytes() == b"a person's own"
    assert names_in(source.parent) == ["a.wav"]


def test_what_has_changed_meanwhile_is_not_replaced(source: Path, artifact: Path) -> None:
    stat = stat_of(source)
    source.write_bytes(b"written just now")
    with pytest.raises(Kept, match="changed meanwhile"):
        replace(source, stat, artifact, hash_file(artifact)[0])
    assert source.read_bytes() == b"written just now"
    assert names_in(source.parent) == ["a.wav"]


def test_no_other_file_is_overwritten_by_an_artifact(source: Path, artifact: Path) -> None:
    artifact = artifact.rename(artifact.with_suffix(".mp3"))
    source.with_suffix(".mp3").write_bytes(b"another")
    with pytest.raises(Kept, match=r"a\.mp3 is there already"):
        replace(source, stat_of(source), artifact, hash_file(artifact)[0])
    assert source.exists()
    assert source.with_suffix(".mp3").read_bytes() == b"another"


@pytest.mark.parametrize("damage", ["missing", "other bytes", "none written"])
def test_a_file_is_not_deleted_without_sound_outputs(
    source: Path, artifact: Path, damage: str
) -> None:
    rule = Watch.model_validate({"path": source.parent, "on_success": "delete"})
    file_hash = hash_file(artifact)[0]
    written = [] if damage == "none written" else [Written(artifact, file_hash)]
    if damage == "missing":
        artifact.unlink()
    elif damage == "other bytes":
        artifact.write_bytes(b"rot")
    with pytest.raises(Kept):
        after_success(
            rule,
            source,
            stat_of(source),
            source_hash="blake3:0",
            written=written,
            artifacts=[(str(artifact), file_hash)],
            missing="",
        )
    assert source.exists()


def test_a_move_overwrites_nothing(source: Path, tmp_path: Path) -> None:
    failed = tmp_path / "failed"
    failed.mkdir()
    (failed / "a.wav").write_bytes(b"an earlier one")
    rule = Watch.model_validate(
        {"path": source.parent, "on_failure": "move", "failed_folder": failed}
    )
    said = after_failure(rule, source, stat_of(source))
    assert said == f"moved to {failed / 'a.2.wav'}"
    assert (failed / "a.wav").read_bytes() == b"an earlier one"
    assert (failed / "a.2.wav").read_bytes() == b"a person's own"
    assert not source.exists()
