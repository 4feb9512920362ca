"""Where a store is: a file, or a database of a Postgres server. Passwords are never shown."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from mediahost.errors import StoreError
from mediahost.model.paths import display, expanded

POSTGRES = "postgresql"
# The names that other programs give the one kind of database, whatever driver they use.
_POSTGRES_SCHEMES = frozenset(
    {"postgres", POSTGRES, "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2"}
)
_SQLITE_SCHEMES = frozenset({"sqlite", "sqlite+pysqlite", "sqlite+aiosqlite"})
LARGEST_PORT = 65_535
_IN_MEMORY = ":memory:"
# A URL that lacks its slashes, or one's user and password. As a path it would be shown whole.
_ALMOST_URL = re.compile(r"(postgres|postgresql|sqlite)(\+\w+)?:|[^/\\]*:[^/\\]*@")
# User and password, then several hosts. What is taken for a password is never looked at again.
_SEVERAL = re.compile(r"(?P<user>(?>(?:[^:/@]*(?::[^@]*)?@)?))(?P<hosts>[^/?@]*,[^/?@]*)(?=[/?]|$)")
_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(?::(.*))?")
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
            understood too, and several hosts, as in `host1:port,host2:port`. `~/` is the home
            folder.

    Raises:
        StoreError: It names none. The message doesn't repeat it: it may hold a password.
    """
    given: object = url_or_path
    if not isinstance(given, str | os.PathLike):  # None, as of a variable that is not set
        raise _not_understood()
    text: str = os.fspath(given)
    if not text.strip() or "\0" in text:
        raise _not_understood()
    if "://" not in text:
        if text == _IN_MEMORY or (isinstance(url_or_path, str) and _ALMOST_URL.match(text)):
            raise _not_understood()
        return _file(text)
    scheme, rest = text.strip().split("://", 1)
    hosts: list[str] = []
    if several := _SEVERAL.match(rest):
        # SQLAlchemy's URLs have one at most; libpq takes more as a list.
        hosts = [unquote(host) for host in several["hosts"].split(",")]
        rest = several["user"] + rest[several.end() :]
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
        query |= _servers(hosts or query.get("host", ()), query.get("port", ()))
        return Location(None, url.set(drivername="postgresql+psycopg", query=query))
    if url.drivername in _SQLITE_SCHEMES and url.database not in (None, "", _IN_MEMORY):
        return _file(str(url.database))
    raise _not_understood()


def _servers(hosts: str | Sequence[str], ports: str | Sequence[str]) -> dict[str, str]:
    """Hosts and ports as libpq takes several of them, a list each.

    Args:
        hosts: As libpq has them, or each with its port.
        ports: As libpq has them.

    Raises:
        StoreError: One of the ports is none, or there is not one for each host.
    """
    ports = ports.split(",") if isinstance(ports, str) else list(ports)
    if isinstance(hosts, str):
        hosts = hosts.split(",")
    else:
        found = [host if host.startswith("/") else _HOST.fullmatch(host) for host in hosts]
        hosts = [one if isinstance(one, str) else one[1].strip("[]") for one in found if one]
        own = ["" if isinstance(one, str) else one[2] or "" for one in found if one]
        ports = own if any(own) else ports
    if not all(map(_is_port, ports)) or len(ports) not in {0, 1, len(hosts)}:
        raise StoreError(
            "The store's URL has a port that is none, or not one for each host",
            "Several hosts are written so: postgresql://user@host1:5432,host2:5432/database",
        )
    if len(ports) == 1:
        ports *= max(len(hosts), 1)
    lists = {"host": ",".join(hosts), "port": ",".join(ports)}
    return {name: text for name, text in lists.items() if text}


def _is_port(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and 0 < int(text) <= LARGEST_PORT)


def _file(text: str) -> Location:
    path = (expanded(text) if text.startswith("~/") else Path(text)).absolute()
    return Location(path, URL.create("sqlite", database=os.fspath(path)))


def _without_secrets(url: URL) -> str:
    """User, hosts, ports and database. The query is left out: it may hold a password as well."""
    hosts = [unquote(url.host)] if url.host else _text(url, "host").split(",")
    ports = [str(url.port)] if url.port else _text(url, "port").split(",")
    where = ",".join(
        (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
        for host, port in zip_longest(hosts, ports, fillvalue="")
    )
    user = f"{url.username}@" if url.username else ""
    return display(f"{POSTGRES}://{user}{where}/{url.database or ''}")


def _text(url: URL, name: str) -> str:
    value = url.query.get(name, "")
    return value if isinstance(value, str) else ",".join(value)


def _not_understood() -> StoreError:
    return StoreError(
        "The store's URL names neither an SQLite file nor a Postgres database",
        "Give a path, sqlite:///path/to/file, or postgresql://user:password@host/database.",
    )
