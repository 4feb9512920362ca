"""What becomes of a person's file: nothing is lost, whatever goes wrong half-way."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mediahost.hashing import FileStat, hash_bytes, hash_file
from mediahost.model.watch import Watch
from mediahost.watch import aftermath, original
from mediahost.watch.aftermath import after_failure, after_success, replace
from mediahost.watch.original import Kept
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
    said = after_failure(rule, source, stat_of(source), hash_file(source)[0])
    assert said == f"moved to {failed / 'a.2.wav'}"
    assert (failed / "a.wav").read_bytes() == b"an earlier one"
    assert (failed / "a.2.wav").read_bytes() == b"a person's own"
    assert not source.exists()


OTHER_DRIVE = Path("/dev/shm")  # noqa: S108 - another file system on every Linux

RULES = {
    "delete": {"on_success": "delete"},
    "move": {"on_success": "move", "done_folder": "done"},
    "move to another drive": {"on_success": "move", "done_folder": "other"},
    "replace": {"on_success": "replace"},
    "replace by another suffix": {"on_success": "replace"},
}
NEW = b"the new edit, a day of work"


def save(source: Path) -> None:
    """As an editor does: a new file takes the name."""
    new = source.with_name("new")
    new.write_bytes(NEW)
    new.replace(source)


def overwrite(source: Path) -> None:
    """As another editor does: the same file has other bytes."""
    source.write_bytes(NEW)


def overwrite_slowly(source: Path) -> None:
    """The same, with the times of before."""
    before = source.stat()
    source.write_bytes(NEW[: before.st_size].ljust(before.st_size))
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture
def other_drive(tmp_path: Path) -> Iterator[Path]:
    if not OTHER_DRIVE.is_dir() or OTHER_DRIVE.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=OTHER_DRIVE) as folder:
        yield Path(folder)


def finish(
    name: str, source: Path, artifact: Path, other_drive: Path, stat: FileStat
) -> str | None:
    values = RULES[name] | {"path": source.parent}
    if "done_folder" in values:
        here = source.parent.parent / "done"
        values["done_folder"] = here if values["done_folder"] == "done" else other_drive
    if name.endswith("suffix"):
        artifact = artifact.rename(artifact.with_suffix(".mp3"))
    file_hash = hash_file(artifact)[0]
    return after_success(
        Watch.model_validate(values),
        source,
        stat,
        source_hash=hash_bytes(b"a person's own"),
        written=[Written(artifact, file_hash)],
        artifacts=[(str(artifact), file_hash)],
        missing="",
    )


CHANGES: dict[str, tuple[Callable[[Path], None], bool]] = {
    "saved before the last look": (save, True),
    "saved after it": (save, False),
    "written before the last look": (overwrite, True),
    "written after it": (overwrite, False),
    "written with the times of before": (overwrite_slowly, True),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", RULES)
def test_a_version_saved_while_another_is_done_away_with_is_never_lost(
    source: Path,
    artifact: Path,
    other_drive: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    name: str,
    change: str,
) -> None:
    changes, is_before = CHANGES[change]
    stat = stat_of(source)
    looks = 0

    def check(path: Path, expected: FileStat) -> None:
        nonlocal looks
        looks += 1
        if looks == 1 and is_before:
            changes(source)
        look(path, expected)
        if looks == 1 and not is_before:
            changes(source)

    look = original.check_unchanged
    monkeypatch.setattr(aftermath, "check_unchanged", check)
    monkeypatch.setattr(original, "check_unchanged", check)
    with pytest.raises(Kept):
        finish(name, source, artifact, other_drive, stat)
    assert source.read_bytes() == (NEW if changes is not overwrite_slowly else NEW[:14])
    assert names_in(source.parent) == ["a.wav"]


@pytest.mark.parametrize("name", RULES)
def test_what_is_done_to_a_file_that_stays_as_it_was(
    source: Path, artifact: Path, other_drive: Path, name: str
) -> None:
    assert finish(name, source, artifact, other_drive, stat_of(source))
    assert names_in(source.parent) == {
        "replace": ["a.wav"],
        "replace by another suffix": ["a.mp3"],
    }.get(name, [])
    if name.startswith("move"):
        done = other_drive if "drive" in name else source.parent.parent / "done"
        assert (done / "a.wav").read_bytes() == b"a person's own"


@pytest.mark.parametrize("name", RULES)
def test_a_file_that_somebody_writes_stays(
    source: Path, artifact: Path, other_drive: Path, name: str
) -> None:
    stat = stat_of(source)
    with source.open("r+b"), pytest.raises(Kept, match="changed meanwhile"):
        finish(name, source, artifact, other_drive, stat)
    assert source.read_bytes() == b"a person's own"


def test_a_move_follows_no_link_out_of_its_folder(source: Path, tmp_path: Path) -> None:
    away, failed = tmp_path / "away", tmp_path / "failed"
    away.mkdir()
    failed.mkdir()
    (failed / "sub").symlink_to(away)
    (source.parent / "sub").mkdir()
    source = source.rename(source.parent / "sub" / "a.wav")
    rule = Watch.model_validate(
        {"path": source.parent.parent, "on_failure": "move", "failed_folder": failed}
    )
    with pytest.raises(Kept, match="would lie outside"):
        after_failure(rule, source, stat_of(source), hash_file(source)[0])
    assert source.exists()
    assert names_in(away) == []


def test_a_copy_to_another_drive_is_made_of_the_bytes_that_were_hashed(
    source: Path, other_drive: Path
) -> None:
    rule = Watch.model_validate(
        {"path": source.parent, "on_failure": "move", "failed_folder": other_drive}
    )
    with pytest.raises(Kept, match="could not be copied whole"):
        after_failure(rule, source, stat_of(source), hash_bytes(b"what was hashed"))
    assert source.exists()
    assert names_in(other_drive) == []


LONG_AGO_NS = 1_000_000_000 * 10**9


@pytest.mark.parametrize("suffix", [".wav", ".mp3"])
def test_a_replacement_keeps_times_mode_and_extended_attributes(
    source: Path, artifact: Path, suffix: str
) -> None:
    artifact = artifact.rename(artifact.with_suffix(suffix))
    with suppress(OSError):
        os.setxattr(source, "user.rating", b"5")
    source.chmod(0o640)
    os.utime(source, ns=(LONG_AGO_NS, LONG_AGO_NS))
    before = source.stat()
    attributes = set(os.listxattr(source))
    replace(source, stat_of(source), artifact, hash_file(artifact)[0])
    after = source.with_suffix(suffix)
    assert after.read_bytes() == b"made"
    assert after.stat().st_mtime_ns == LONG_AGO_NS
    assert after.stat().st_mode == before.st_mode
    assert (after.stat().st_uid, after.stat().st_gid) == (before.st_uid, before.st_gid)
    assert set(os.listxattr(after)) >= {one for one in attributes if one.startswith("user.")}


def test_what_a_replacement_may_not_keep_is_said_once(
    source: Path, artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aftermath, "carry_over", lambda *_: ["owner"])
    file_hash = hash_file(artifact)[0]
    other = source.with_name("b.wav")
    other.write_bytes(b"another of a person's own")
    assert "; it could not keep: owner" in replace(source, stat_of(source), artifact, file_hash)
    assert "owner" not in replace(other, stat_of(other), artifact, file_hash)


def test_a_replacement_that_is_not_smaller_is_not_made(source: Path, artifact: Path) -> None:
    artifact.write_bytes(b"made, and larger than before")
    values = {"replace_only_if_smaller": True, "on_success": "replace", "path": source.parent}
    rule = Watch.model_validate(values)
    made = [(str(artifact), hash_file(artifact)[0])]
    with pytest.raises(Kept, match="not smaller"):
        after_success(
            rule,
            source,
            stat_of(source),
            source_hash=hash_file(source)[0],
            written=[],
            artifacts=made,
            missing="",
        )
    assert source.read_bytes() == b"a person's own"


def test_a_move_to_another_drive_keeps_times_and_mode(source: Path, other_drive: Path) -> None:
    source.chmod(0o640)
    os.utime(source, ns=(LONG_AGO_NS, LONG_AGO_NS))
    rule = Watch.model_validate(
        {"path": source.parent, "on_failure": "move", "failed_folder": other_drive}
    )
    assert after_failure(rule, source, stat_of(source), hash_file(source)[0])
    moved = (other_drive / "a.wav").stat()
    assert (moved.st_mtime_ns, moved.st_mode & 0o777) == (LONG_AGO_NS, 0o640)


def moved(source: Path, folder: Path) -> str | None:
    rule = Watch.model_validate(
        {"path": source.parent, "on_failure": "move", "failed_folder": folder}
    )
    return after_failure(rule, source, stat_of(source), hash_file(source)[0])


@pytest.mark.parametrize("drive", ["here", "other"])
@pytest.mark.parametrize("name", ["a.xmp", "a.XMP", "a.wav.xmp"])
def test_a_sidecar_goes_along_with_a_file_that_is_moved(
    source: Path, other_drive: Path, name: str, drive: str
) -> None:
    folder = other_drive if drive == "other" else source.parent.parent / "failed"
    source.with_name(name).write_bytes(b"stars")
    assert moved(source, folder) == f"moved to {folder / 'a.wav'}"
    assert names_in(source.parent) == []
    assert names_in(folder) == sorted(["a.wav", name])
    assert (folder / name).read_bytes() == b"stars"


def test_a_sidecar_is_called_as_its_file_is(source: Path, tmp_path: Path) -> None:
    failed = tmp_path / "failed"
    failed.mkdir()
    (failed / "a.wav").write_bytes(b"an earlier one")
    for name in ("a.xmp", "a.wav.xmp"):
        source.with_name(name).write_bytes(b"stars")
    assert moved(source, failed) == f"moved to {failed / 'a.2.wav'}"
    assert names_in(failed) == ["a.2.wav", "a.2.wav.xmp", "a.2.xmp", "a.wav"]


def test_a_sidecar_that_may_be_of_another_file_stays(source: Path, tmp_path: Path) -> None:
    failed = tmp_path / "failed"
    for name in ("a.xmp", "a.wav.xmp", "a.nef"):
        source.with_name(name).write_bytes(b"a person's own too")
    said = moved(source, failed)
    assert said == (f"moved to {failed / 'a.wav'}; a.xmp: it was kept: it may belong to a.nef")
    assert names_in(source.parent) == ["a.nef", "a.xmp"]
    assert names_in(failed) == ["a.wav", "a.wav.xmp"]


@pytest.mark.parametrize("drive", ["here", "other"])
def test_no_sidecar_overwrites_another(source: Path, other_drive: Path, drive: str) -> None:
    folder = other_drive if drive == "other" else source.parent.parent / "failed"
    folder.mkdir(exist_ok=True)
    (folder / "a.xmp").write_bytes(b"of another")
    source.with_name("a.xmp").write_bytes(b"stars")
    said = moved(source, folder)
    assert said == f"moved to {folder / 'a.wav'}; a.xmp: it was kept: File exists"
    assert (folder / "a.xmp").read_bytes() == b"of another"
    assert source.with_name("a.xmp").read_bytes() == b"stars"


def test_a_sidecar_that_somebody_writes_stays(source: Path, tmp_path: Path) -> None:
    sidecar = source.with_name("a.xmp")
    sidecar.write_bytes(b"stars")
    with sidecar.open("r+b"):
        said = moved(source, tmp_path / "failed")
    assert said is not None
    assert said.endswith("; a.xmp: it was kept: it has changed meanwhile")
    assert sidecar.read_bytes() == b"stars"


def test_what_becomes_of_sidecars_in_each_case(
    source: Path, artifact: Path, other_drive: Path
) -> None:
    for name in RULES:
        for old in source.parent.iterdir():
            old.unlink()
        source.write_bytes(b"a person's own")
        artifact.write_bytes(b"made")
        for sidecar in ("a.xmp", "a.wav.xmp"):
            source.with_name(sidecar).write_bytes(b"stars")
        assert finish(name, source, artifact, other_drive, stat_of(source))
        assert names_in(source.parent) == {
            "delete": ["a.wav.xmp", "a.xmp"],
            "replace": ["a.wav", "a.wav.xmp", "a.xmp"],
            "replace by another suffix": ["a.mp3", "a.mp3.xmp", "a.xmp"],
        }.get(name, [])
