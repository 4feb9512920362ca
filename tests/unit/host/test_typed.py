"""Paths as people type them: found however the disk spells their accents."""

from pathlib import Path

import pytest

from mediahost.host.typed import on_disk

NFC, NFD = "Caf\u00e9", "Cafe\u0301"


@pytest.mark.parametrize(("typed", "there"), [(NFC, NFD), (NFD, NFC)])
def test_a_path_is_found_in_the_other_spelling(typed: str, there: str, tmp_path: Path) -> None:
    path = tmp_path / there / "plain" / f"{there}.wav"
    path.parent.mkdir(parents=True)
    path.touch()
    assert on_disk(str(tmp_path / typed / "plain" / f"{typed}.wav")) == str(path)
    assert on_disk(f"{tmp_path}/{typed}/") == str(tmp_path / there)


@pytest.mark.parametrize(("typed", "there"), [(NFC, NFD), (NFD, NFC)])
def test_a_relative_path_too(
    typed: str, there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(there).touch()
    assert on_disk(typed) == there


def test_what_is_there_as_typed_is_meant(tmp_path: Path) -> None:
    for name in (NFC, NFD):
        (tmp_path / name).touch()
        assert on_disk(str(tmp_path / name)) == str(tmp_path / name)


@pytest.mark.parametrize("text", [NFC, f"/no/such/{NFC}.wav", f"https://host/{NFC}.wav", "", "/"])
def test_what_is_not_there_stays_as_typed(text: str) -> None:
    assert on_disk(text) == text
