"""A model that goes by a name is the published one, byte for byte, or it is not used."""

import os
import time
from hashlib import sha256
from pathlib import Path

import pytest

from mediahost.hashing import Algorithm, FileStat, hash_file
from mediahost.plugin import models
from mediahost.plugin.models import (
    ModelMismatch,
    ModelMissing,
    PinnedFile,
    PinnedModel,
    models_folder,
    sha256_of,
)

FILES = {"model.bin": b"weights" * 1000, "config.json": b"{}"}
LONG_AGO = 1_600_000_000


def _pinned(name: str = "tiny", packaged: Path | None = None) -> PinnedModel:
    files = tuple(
        PinnedFile(file, len(data), sha256(data).hexdigest()) for file, data in FILES.items()
    )
    return PinnedModel(
        name, f"whisper-{name}", files, "maker/tiny", "0" * 40, "MIT", "A test.", lambda: packaged
    )


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the model would lie."""
    monkeypatch.setenv("MEDIAHOST_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "models" / "whisper-tiny"


def _put(folder: Path, **changed: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(changed.get(name.partition(".")[0], data))
    return folder


def test_a_missing_model_is_named_with_its_size_and_how_to_get_it(home: Path) -> None:
    with pytest.raises(ModelMissing, match=r"The model tiny \(0 MB\) is not on") as caught:
        _pinned().checked()
    assert "mediahost models get tiny" in (caught.value.hint or "")
    assert str(home) in (caught.value.hint or "")


def test_the_published_files_are_taken_from_the_folder_of_models_first(
    home: Path, tmp_path: Path
) -> None:
    package = _put(tmp_path / "package")
    assert _pinned(packaged=package).checked() == package
    assert _pinned(packaged=package).checked() == package
    _put(home)
    assert _pinned(packaged=package).checked() == home


@pytest.mark.parametrize(
    ("file", "data", "words"),
    [
        ("model", b"another" * 1000, r"the SHA-256 of model\.bin is \w{12}…, not \w{12}…"),
        ("model", b"short", r"model\.bin has 5 bytes, not 7,000"),
        ("config", b"[]", r"the SHA-256 of config\.json is"),
    ],
)
def test_files_that_are_not_the_published_ones_are_refused_wherever_they_lie(
    file: str, data: bytes, words: str, home: Path, tmp_path: Path
) -> None:
    for folder in (tmp_path / "package", home):
        _put(folder, **{file: data})
        with pytest.raises(ModelMismatch, match=words) as caught:
            _pinned(packaged=tmp_path / "package").checked()
        assert str(folder) in caught.value.message
        assert "mediahost models get tiny" in (caught.value.hint or "")


def test_a_file_that_is_missing_beside_the_weights_is_named(home: Path) -> None:
    _put(home)
    (home / "config.json").unlink()
    with pytest.raises(ModelMismatch, match=r"config\.json can't be read: No such file"):
        _pinned().checked()


def test_a_hash_is_taken_once_and_again_when_the_stat_has_changed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(home)
    read: list[Path] = []

    def counted(path: Path, algorithm: Algorithm) -> tuple[str, FileStat]:
        read.append(path)
        return hash_file(path, algorithm)

    monkeypatch.setattr(models, "hash_file", counted)
    # What was written this very moment is not believed: its times can't tell a later change.
    now = time.time_ns() + 10_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: now)
    for _ in range(3):
        _pinned().checked()
    assert [path.name for path in read] == ["model.bin", "config.json"]

    weights = home / "model.bin"
    weights.write_bytes(b"another" * 1000)
    os.utime(weights, (LONG_AGO, LONG_AGO))  # the times of the file may lie; ctime does not
    with pytest.raises(ModelMismatch):
        _pinned().checked()


def test_a_file_just_written_is_read_each_time(home: Path) -> None:
    _put(home)
    weights = home / "model.bin"
    before = sha256_of(weights)
    weights.write_bytes(b"another" * 1000)
    assert sha256_of(weights) != before


def test_where_nothing_can_be_remembered_the_file_is_read_each_time(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _put(home)
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    now = time.time_ns() + 10_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: now)
    assert _pinned().checked() == home


def test_a_note_that_is_damaged_is_no_hash(home: Path, tmp_path: Path) -> None:
    _put(home)
    note = models._note_of(home / "model.bin")
    note.parent.mkdir(parents=True)
    for text in ("", "[]", '{"stat": 1}', "\x00"):
        note.write_text(text)
        assert _pinned().checked() == home


def test_the_folder_of_models_is_the_users_unless_the_environment_names_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert models_folder() == tmp_path / "models"
    monkeypatch.delenv("MEDIAHOST_MODELS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert models_folder() == tmp_path / "share" / "mediahost" / "models"
