"""Advisory locks on Postgres: a host holds one for as long as its process and connection live."""

import hashlib
from collections.abc import Collection
from contextlib import suppress
from typing import Any

import psycopg
from sqlalchemy import text

from mediahost.store.engine import Database
from mediahost.store.location import Location
from mediahost.store.postgres import connect_arguments

_BITS = 32
_LOW = (1 << _BITS) - 1

# A lock by one key of 64 bits is listed in halves (Postgres, "pg_locks").
_HELD = text(
    "SELECT classid::bigint, objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND objsubid = 1 AND database = (SELECT oid FROM pg_database WHERE datname ="
    " current_database())"
)


class AdvisoryLock:
    """A lock on a host's name, on a connection of its own.

    While the server can't be reached there is none; `renew` takes it as soon as that is possible.
    """

    def __init__(self, location: Location, host: str) -> None:
        self._location = location
        self._key = _key(host)
        self._connection: psycopg.Connection[Any] | None = None
        self.renew()

    def renew(self) -> None:
        """Take the lock again if the connection was lost."""
        try:
            if self._connection is None:
                self._connection = psycopg.connect(
                    **connect_arguments(self._location), autocommit=True
                )
                self._connection.execute("SELECT pg_try_advisory_lock(%s)", [self._key])
            self._connection.execute("SELECT 1")
        except psycopg.OperationalError:
            self.close()

    def close(self) -> None:
        """Let go of the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()


def holders(database: Database, names: Collection[str]) -> set[str]:
    """Those of these hosts whose lock is held."""
    with database.read() as connection:
        held = {(high << _BITS) | low for high, low in connection.execute(_HELD)}
    return {name for name in names if _key(name) & ((1 << 2 * _BITS) - 1) in held}


def _key(host: str) -> int:
    digest = hashlib.blake2b(host.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
