"""Models from the hub: taken up where they broke off, and kept only if they are the pinned ones."""

import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from mediahost.plugin.models import ModelMismatch, PinnedFile, PinnedModel
from mediahost.remote.hub import DEFAULT_ENDPOINT, DownloadFailed, endpoint, fetch
from tests.loopback_hub import Hub, running_hub

WEIGHTS = bytes(range(256)) * 400
CONFIG = b'{"a": 1}'
PINS = (
    PinnedFile("model.bin", len(WEIGHTS), sha256(WEIGHTS).hexdigest()),
    PinnedFile("config.json", len(CONFIG), sha256(CONFIG).hexdigest()),
)
MODEL = PinnedModel("tiny", "whisper-tiny", PINS, "maker/tiny", "a" * 40, "MIT", "A test.")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """What the makers published."""
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "model.bin").write_bytes(WEIGHTS)
    (folder / "config.json").write_bytes(CONFIG)
    return folder


@pytest.fixture
def hub(made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """The hub that the environment names."""
    monkeypatch.setenv("MEDIAHOST_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    files = {
        f"{MODEL.repository}/resolve/{MODEL.revision}/{path.name}": path for path in made.iterdir()
    }
    with running_hub(files) as served:
        monkeypatch.setenv("HF_ENDPOINT", f"{served.url}/")
        yield served


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_all_files_come_from_the_pinned_revision_and_are_checked(hub: Hub) -> None:
    folder = fetch(MODEL)
    assert folder == MODEL.home == MODEL.checked()
    assert _names(folder) == ["config.json", "model.bin"]
    downloads = [path for _, path, _ in hub.asked if "/resolve/" in path]
    assert downloads
    assert all(f"/{'a' * 40}/" in path for path in downloads)


def test_no_token_of_this_machine_is_sent(hub: Hub) -> None:
    fetch(MODEL)
    assert hub.headers
    assert not any("authorization" in headers for headers in hub.headers)


def test_files_that_are_here_are_not_downloaded_again(hub: Hub) -> None:
    fetch(MODEL)
    asked = len(hub.asked)
    assert fetch(MODEL) == MODEL.home
    assert len(hub.asked) == asked


def test_a_download_is_taken_up_where_an_earlier_call_broke_off(hub: Hub) -> None:
    MODEL.home.mkdir(parents=True)
    part = MODEL.home / f".{PINS[0].sha256}.part"
    part.write_bytes(WEIGHTS[:60_000])
    fetch(MODEL)
    assert hub.bytes_sent("model.bin") == ["bytes=60000-"]
    assert _names(MODEL.checked()) == ["config.json", "model.bin"]


def test_a_connection_that_breaks_is_taken_up(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _s: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)
    hub.breaks_after = 40_000
    MODEL.check(fetch(MODEL))
    assert hub.bytes_sent("model.bin") == [None, "bytes=40000-", "bytes=80000-"]


def test_what_came_before_the_hub_was_lost_is_kept(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _s: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1_000)
    hub.breaks_after = 2_000
    hub.lost_after = 3
    with pytest.raises(DownloadFailed) as caught:
        fetch(MODEL)
    assert "What has come is kept" in (caught.value.hint or "")
    assert not (MODEL.home / "model.bin").exists()
    hub.breaks_after = hub.lost_after = None
    MODEL.check(fetch(MODEL))
    assert hub.bytes_sent("model.bin")[-1] == "bytes=6000-"


def test_another_file_of_the_same_size_is_refused_before_it_is_downloaded(
    hub: Hub, made: Path
) -> None:
    (made / "model.bin").write_bytes(WEIGHTS[::-1])
    with pytest.raises(ModelMismatch, match=r"another file model\.bin of maker/tiny"):
        fetch(MODEL)
    assert hub.bytes_sent("model.bin") == []
    assert not (MODEL.home / "model.bin").exists()


def test_another_small_file_is_thrown_away_when_it_has_come(hub: Hub, made: Path) -> None:
    (made / "config.json").write_bytes(CONFIG[::-1])
    with pytest.raises(ModelMismatch, match=r"another file config\.json"):
        fetch(MODEL)
    assert _names(MODEL.home) == []


def test_damage_in_what_an_earlier_call_left_is_found(hub: Hub) -> None:
    MODEL.home.mkdir(parents=True)
    part = MODEL.home / f".{PINS[0].sha256}.part"
    part.write_bytes(b"?" * 60_000)
    with pytest.raises(ModelMismatch):
        fetch(MODEL)
    assert not part.exists()
    fetch(MODEL)
    MODEL.checked()


def test_a_wrong_file_in_the_folder_is_replaced(hub: Hub) -> None:
    MODEL.home.mkdir(parents=True)
    (MODEL.home / "model.bin").write_bytes(b"wrong")
    fetch(MODEL)
    MODEL.checked()


def test_two_downloads_at_once_make_one_whole_model(hub: Hub) -> None:
    failed: list[BaseException] = []

    def download() -> None:
        try:
            fetch(MODEL)
        except BaseException as error:  # noqa: BLE001 - the test tells of any
            failed.append(error)

    threads = [threading.Thread(target=download) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len(hub.bytes_sent("model.bin")) == 1
    assert _names(MODEL.checked()) == ["config.json", "model.bin"]


def test_a_hub_without_the_file_and_no_hub_at_all_are_named_in_a_sentence(
    hub: Hub, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _s: None)
    hub.files = {}
    with pytest.raises(DownloadFailed, match="can't be downloaded from http://127") as caught:
        fetch(MODEL)
    assert "mediahost models get tiny" in (caught.value.hint or "")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadFailed, match="refused"):
        fetch(MODEL)


def test_a_folder_that_cant_be_written_is_named_in_a_sentence(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MEDIAHOST_MODELS", str(tmp_path / "file"))
    with pytest.raises(DownloadFailed, match="Not a directory"):
        fetch(MODEL)


def test_the_hub_is_the_makers_unless_the_environment_names_a_mirror(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert endpoint() == DEFAULT_ENDPOINT
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror/")
    assert endpoint() == "http://mirror"
