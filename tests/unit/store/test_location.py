"""Where stores are, in every spelling, and without their passwords."""

from pathlib import Path
from typing import Any

import pytest

from mediahost.errors import StoreError
from mediahost.store.location import locate
from mediahost.store.postgres import connect_arguments


@pytest.mark.parametrize(
    "scheme",
    ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2"],
)
def test_every_spelling_of_a_postgres_url_is_the_same_place(scheme: str) -> None:
    found = locate(f"{scheme}://me:s%40cret@db.lan:6543/media")
    assert found.path is None
    assert found.kind == "postgresql"
    assert found.url.drivername == "postgresql+psycopg"
    assert (found.url.username, found.url.password) == ("me", "s@cret")
    assert str(found) == "postgresql://me@db.lan:6543/media"


@pytest.mark.parametrize(
    "url",
    [
        "postgres://me:secret@db/media",
        "postgresql://db/media?user=me&password=secret&sslmode=require",
        "postgresql://me:secret@/media?host=/run/postgresql&passfile=/secret",
    ],
)
def test_a_place_as_text_holds_no_password(url: str) -> None:
    found = locate(url)
    for shown in (str(found), repr(found), f"{found}"):
        assert "secret" not in shown


def test_a_socket_is_named_and_asyncpgs_words_are_understood() -> None:
    assert str(locate("postgresql://me@/media?host=%2Frun%2Fpg")) == "postgresql://me@/run/pg/media"
    assert locate("postgresql+asyncpg://db/media?ssl=require").url.query == {"sslmode": "require"}


@pytest.mark.parametrize(
    ("url", "hosts", "ports", "shown"),
    [
        ("a,b/media", "a,b", "", "me@a,b"),
        ("a:1,b:2/media?target_session_attrs=read-write", "a,b", "1,2", "me@a:1,b:2"),
        ("a,b:2/media", "a,b", ",2", "me@a,b:2"),
        ("[::1]:5,[::2]/media", "::1,::2", "5,", "me@[::1]:5,[::2]"),
        ("%2Frun%2Fa,%2Frun%2Fb/media", "/run/a,/run/b", "", "me@/run/a,/run/b"),
        ("a,b/media?port=7", "a,b", "7,7", "me@a:7,b:7"),
        ("/media?host=a,b&port=1,2", "a,b", "1,2", "me@a:1,b:2"),
        ("/media?host=a:1&host=b:2", "a,b", "1,2", "me@a:1,b:2"),
    ],
)
def test_a_url_may_name_several_hosts_as_libpq_has_them(
    url: str, hosts: str, ports: str, shown: str
) -> None:
    found = locate(f"postgresql://me:se,c/ret@{url}")
    assert str(found) == f"postgresql://{shown}/media"
    assert "ret" not in f"{found} {found!r}"
    arguments = connect_arguments(found)
    assert (arguments["user"], arguments["password"]) == ("me", "se,c/ret")
    assert (arguments["host"], arguments["dbname"]) == (hosts, "media")
    assert arguments["port"].strip(",") == ports.strip(",")


@pytest.mark.parametrize(
    "url",
    [
        "me:secret@a:x,b/media",
        "me:secret@a:99999,b/media",
        "me:secret@h/media?port=secret",
        "me:secret@/media?host=a,b&port=1,2,3",
    ],
)
def test_ports_that_are_none_are_refused_without_repeating_the_url(url: str) -> None:
    with pytest.raises(StoreError, match="a port that is none, or not one for each") as raised:
        locate(f"postgresql://{url}")
    assert raised.value.hint
    assert "secret" not in f"{raised.value.message}{raised.value.hint}"


def test_a_file_is_a_path_or_a_url(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    for named in (path, str(path), f"sqlite:///{path}", f"sqlite+aiosqlite:///{path}"):
        found = locate(named)
        assert (found.path, found.kind, str(found)) == (path, "sqlite", str(path))


def test_a_url_is_understood_in_capitals_and_with_space_around_it() -> None:
    assert str(locate(" PostgreSQL://me:pw@db.lan/Media\n")) == "postgresql://me@db.lan/Media"


@pytest.mark.parametrize("named", ["~/store.db", "sqlite:///~/store.db"])
def test_a_path_may_begin_with_the_home_folder(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert locate(named).path == Path("/home/me/store.db")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s@ecret@db/media",
        "postgresql://me:s@e/cret@db/media",
        "postgresql://me:s@ecret,x@db,db2/media",
        "postgresql://me:s@ecret,x/y@db/media",
    ],
)
def test_an_unquoted_at_sign_in_a_password_is_refused_before_half_of_it_is_shown(url: str) -> None:
    with pytest.raises(StoreError, match="more than one @") as raised:
        locate(url)
    assert "ecret" not in f"{raised.value.message}{raised.value.hint}"
    assert locate("postgresql://me:s%40ecret@db/media").url.password == "s@ecret"  # noqa: S105 - none


@pytest.mark.parametrize(
    "url",
    [
        "http://me:secret@x/y",
        "",
        " ",
        "sqlite://",
        "postgresql://me:secret@h:x/",
        ":memory:",
        "postgres:me:secret@h/media",
        "postgresql:/me:secret@h/media",
        "me:secret@h/media",
        "store\0.db",
        "postgresql://me:secret\0@h/media",
        None,  # as of an environment variable that is not set
        b"store.db",
        7,
    ],
)
def test_what_names_no_store_is_refused_without_repeating_it(url: Any) -> None:
    with pytest.raises(StoreError, match="names neither") as raised:
        locate(url)
    assert "secret" not in f"{raised.value.message}{raised.value.hint}"
