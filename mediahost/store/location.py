"""Where a store is: a file, or a database of a Postgres server. Passwords are never shown."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from mediahost.errors import StoreError
from mediahost.model.media import display

POSTGRES = "postgresql"
# The names that other programs give the one kind of database, whatever driver they use.
_POSTGRES_SCHEMES = frozenset(
    {"postgres", POSTGRES, "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2"}
)
_SQLITE_SCHEMES = frozenset({"sqlite", "sqlite+pysqlite", "sqlite+aiosqlite"})
_IN_MEMORY = ":memory:"
# A URL that lacks its slashes, or one's user and password. As a path it would be shown whole.
_ALMOST_URL = re.compile(r"(postgres|postgresql|sqlite)(\+\w+)?:|[^/\\]*:[^/\\]*@")
# Asyncpg's name for what libpq calls otherwise.
_RENAMED = {"ssl": "sslmode"}


@dataclass(frozen=True, slots=True)
class Location:
    """Where a store is. As text it is safe to print: a path, or a URL without its password.

    Attributes:
        path: The SQLite file; None: it is on a server.
        url: The URL with the driver that is used here, password and all.
    """

    path: Path | None
    url: URL = field(repr=False)

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.url.get_backend_name()

    def __str__(self) -> str:
        return display(self.path) if self.path else _without_secrets(self.url)


def locate(url_or_path: str | os.PathLike[str]) -> Location:
    """The place that a path or URL names.

    Args:
        url_or_path: A path, `sqlite:///path`, or `postgresql://user:password@host:port/database`;
            `postgres://` and the names of other drivers, as in `postgresql+asyncpg://`, are
            understood too. `~/` is the home folder.

    Raises:
        StoreError: It names none. The message doesn't repeat it: it may hold a password.
    """
    text = os.fspath(url_or_path)
    if "://" not in text:
        if text == _IN_MEMORY or (isinstance(url_or_path, str) and _ALMOST_URL.match(text)):
            raise _not_understood()
        return _file(text)
    scheme, rest = text.strip().split("://", 1)
    try:
        url = make_url(f"{scheme.lower()}://{rest}")
    except (ArgumentError, ValueError):
        raise _not_understood() from None
    if url.drivername in _POSTGRES_SCHEMES:
        # What is behind the first @ would be taken for the host, and shown.
        if "@" in f"{url.host}{url.database}":
            raise StoreError(
                "The store's URL has more than one @",
                "In a user's name or a password write %40 for it.",
            )
        query = {_RENAMED.get(name, name): value for name, value in url.query.items()}
        return Location(None, url.set(drivername="postgresql+psycopg", query=query))
    if url.drivername in _SQLITE_SCHEMES and url.database not in (None, "", _IN_MEMORY):
        return _file(str(url.database))
    raise _not_understood()


def _file(text: str) -> Location:
    path = (Path(text).expanduser() if text.startswith("~/") else Path(text)).absolute()
    return Location(path, URL.create("sqlite", database=os.fspath(path)))


def _without_secrets(url: URL) -> str:
    """User, host, port and database. The query is left out: it may hold a password as well."""
    host = url.host or url.query.get("host") or ""
    where = unquote(host if isinstance(host, str) else ",".join(host))
    user = f"{url.username}@" if url.username else ""
    port = f":{url.port}" if url.port else ""
    return display(f"{POSTGRES}://{user}{where}{port}/{url.database or ''}")


def _not_understood() -> StoreError:
    return StoreError(
        "The store's URL names neither an SQLite file nor a Postgres database",
        "Give a path, sqlite:///path/to/file, or postgresql://user:password@host/database.",
    )
