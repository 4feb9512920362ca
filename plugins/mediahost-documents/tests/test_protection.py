"""Passwords: asked for in words, taken from the environment, never kept."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr
from pypdf import PdfReader, PdfWriter

from mediahost import Action, InvalidMedia
from mediahost.hashing import config_hash
from mediahost.testing import check_action, run_action
from mediahost_documents import ContactSheet, Info, Pages, Text

VARIABLE = "MEDIAHOST_DOCUMENTS_PASSWORD"
ACTIONS = [Info, Text, Pages, ContactSheet]
each_action = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.info.name)


@each_action
def test_a_protected_document_says_so_and_what_to_do(action: type[Action], protected: Path) -> None:
    with pytest.raises(InvalidMedia, match=r"protected\.pdf is protected by a password") as caught:
        run_action(action.configured({}), protected)
    assert VARIABLE in (caught.value.hint or "")


@each_action
def test_another_password_does_not_open_it(action: type[Action], protected: Path) -> None:
    with pytest.raises(InvalidMedia, match="is protected by another password") as caught:
        run_action(action.configured({"password": "almonds"}), protected)
    assert "almonds" not in str(caught.value)


def test_the_password_in_the_environment_opens_it(
    protected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "peanuts")
    run_action(Info(), protected).assert_metadata(encrypted=True, pages=2, author="Eriberto Mota")
    reader = PdfReader(protected, password="peanuts")  # noqa: S106 - as its name says
    expected = [" ".join(page.extract_text().split()) for page in reader.pages]
    pages = run_action(Text(), protected).metadata["pages"]
    assert [" ".join(page["text"].split()) for page in pages] == expected
    assert len(run_action(Pages(dpi=18), protected).artifacts) == 2
    check_action(Info(), protected)


@each_action
def test_the_password_is_never_hashed_stored_or_shown(action: type[Action]) -> None:
    without, given = action.configured({}), action.configured({"password": "peanuts"})
    assert given.public_config() == without.public_config()
    assert "password" not in given.public_config()
    name = action.info.name
    assert config_hash(name, 1, given.public_config()) == config_hash(
        name, 1, without.public_config()
    )
    assert "peanuts" not in f"{given!r} {given} {json.dumps(given.model_dump(mode='json'))}"


def test_the_schema_does_not_show_the_password_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, "peanuts")
    assert "peanuts" not in json.dumps(Info.model_json_schema())


def test_an_owner_password_alone_keeps_nobody_from_reading(paper: Path, tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=paper)
    writer.encrypt("", owner_password="owner", algorithm="RC4-128")  # noqa: S106 - a test's
    path = tmp_path / "owned.pdf"
    writer.write(path)
    run_action(Info(), path).assert_metadata(encrypted=True, pages=2)


def test_a_password_on_a_document_without_one_does_no_harm(paper: Path) -> None:
    run_action(Info(password=SecretStr("peanuts")), paper).assert_metadata(encrypted=False)
