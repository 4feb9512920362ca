"""`mediahost models`, with a real model and a hub on loopback."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mediahost_speech.known import KNOWN
from tests.loopback_hub import Hub, running_hub

if TYPE_CHECKING:
    from tests.integration.conftest import Answer, Home

MODEL = KNOWN["tiny.en"]


@pytest.fixture
def package() -> Path:
    """The model as a package brings it."""
    found = MODEL.packaged()
    assert found is not None
    return found


@pytest.fixture
def hub(home: "Home", package: Path) -> Iterator[Hub]:
    """A hub that has the model; nothing else is on this machine but what packages bring."""
    home.environ["MEDIAHOST_MODELS"] = str(home.folder / "models")
    home.environ["XDG_CACHE_HOME"] = str(home.folder / "cache")
    files = {
        f"{MODEL.repository}/resolve/{MODEL.revision}/{file.name}": package / file.name
        for file in MODEL.files
    }
    with running_hub(files) as served:
        home.environ["HF_ENDPOINT"] = served.url
        yield served


def _call(home: "Home", *arguments: str, code: int = 0) -> "Answer":
    answer = home.call(*arguments)
    assert answer.code == code, answer
    return answer


def test_the_models_of_all_plugins_are_listed_with_what_they_are(home: "Home", hub: Hub) -> None:
    out = _call(home, "models", "list").out
    for name in (*KNOWN, "smollm2-135m"):
        assert f"\n{name} " in out
    assert "Apache-2.0" in out
    rows = {row["name"]: row for row in _call(home, "models", "list", "--json").json}
    assert rows["large-v3"]["folder"] is None
    assert rows["tiny.en"]["files"][0]["sha256"] == MODEL.files[0].sha256
    assert rows["tiny.en"]["revision"] == MODEL.revision
    assert all(row["hashes_from"].endswith(".") for row in rows.values())
    assert hub.asked == []


def test_a_model_that_is_here_is_found_and_not_downloaded(
    home: "Home", hub: Hub, package: Path
) -> None:
    assert _call(home, "models", "where", "tiny.en").out == f"{package}\n"
    assert "each file as published" in _call(home, "models", "get", "tiny.en").out
    assert hub.asked == []


def test_a_model_with_other_weights_does_no_job_until_the_hint_is_followed(
    home: "Home", hub: Hub, package: Path
) -> None:
    kept = home.folder / "models" / "whisper-tiny.en"
    kept.mkdir(parents=True)
    for file in MODEL.files:
        (kept / file.name).write_bytes((package / file.name).read_bytes())
    with (kept / "model.bin").open("r+b") as weights:
        weights.seek(40_000_000)
        weights.write(b"\x01\x02\x03")
    home.example("two_cities.flac")
    listen = ("run", "media", "--action", "speech.transcribe:model=tiny.en,language=en")
    refused = _call(home, *listen, code=1)
    words = "does not hold the published model tiny.en: the SHA-256 of model.bin is"
    assert words in refused.out + refused.err
    where = _call(home, "models", "where", "tiny.en", code=1)
    assert words in where.err
    assert "mediahost models get tiny.en" in where.err

    got = _call(home, "models", "get", "tiny.en")
    assert f"from {MODEL.repository} at {hub.url}" in got.err
    assert f"tiny.en is in {kept}, each file as published." in got.out
    assert [path for _, path, _ in hub.asked if "/api/" in path] == []
    assert _call(home, "models", "where", "tiny.en").out == f"{kept}\n"
    _call(home, *listen)


def test_an_unknown_model_is_a_slip_with_a_suggestion(home: "Home", hub: Hub) -> None:
    answer = _call(home, "models", "get", "smal", code=2)
    assert "No model named 'smal'; did you mean small?" in answer.err


def test_a_model_that_is_nowhere_is_told_with_what_gets_it(home: "Home", hub: Hub) -> None:
    answer = _call(home, "models", "where", "small", code=1)
    assert "The model small (486 MB) is not on this machine" in answer.err
    assert "mediahost models get small" in answer.err


def test_the_library_of_the_hub_comes_with_the_plugin() -> None:
    assert find_spec("huggingface_hub") is not None
