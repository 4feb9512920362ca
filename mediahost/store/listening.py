"""Waiting for others to write to a store on Postgres: the server tells those who listen."""

import threading
import time
from typing import Any, Self

import psycopg
from psycopg import sql

from mediahost.store.changelog import CHANNEL
from mediahost.store.location import Location
from mediahost.store.postgres import connect_arguments

# How long `close` is not noticed, and how often a server that went away is asked for.
SLICE_S = 0.25

# Several commits within this long are told as one: nobody looks more often.
COALESCE_S = 0.1

# A notification may be lost with the connection: look so often though none was heard.
RECONCILE_S = 5.0


class PostgresWakeup:
    """Listens for what the triggers notify of, on a connection of its own.

    For one thread; only `close` may be called from another.

    Args:
        location: The store.
    """

    def __init__(self, location: Location) -> None:
        self._location = location
        self._closed = threading.Event()
        self._in_use = threading.Lock()
        self._told_at = time.monotonic()
        self._connection: psycopg.Connection[Any] | None = self._listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self, timeout_s: float) -> bool:
        """Wait for a change since the last call, at most so long; whether there was one.

        A closed one returns at once. After a restart of the server it says that there was one, as
        it does every `RECONCILE_S` seconds.
        """
        ends_at = time.monotonic() + timeout_s
        self._closed.wait(min(max(self._told_at + COALESCE_S - time.monotonic(), 0.0), timeout_s))
        while not self._closed.is_set():
            left = ends_at - time.monotonic()
            heard = self._hears(min(SLICE_S, max(left, 0.0)))
            if heard or time.monotonic() > self._told_at + RECONCILE_S:
                self._told_at = time.monotonic()
                return True
            if left <= 0:
                break
        return False

    def close(self) -> None:
        """Let go of the connection; who waits returns."""
        self._closed.set()
        with self._in_use:
            if self._connection:
                self._connection.close()

    def _hears(self, timeout_s: float) -> bool:
        with self._in_use:
            if self._closed.is_set():
                return False
            try:
                if self._connection is None:
                    self._connection = self._listen()
                    return True
                heard = list(self._connection.notifies(timeout=timeout_s, stop_after=1))
                if heard:
                    # With the others that have come meanwhile.
                    list(self._connection.notifies(timeout=0))
            except psycopg.OperationalError:
                if self._connection:
                    self._connection.close()
                self._connection = None
                self._closed.wait(timeout_s)
                return False
            return bool(heard)

    def _listen(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(**connect_arguments(self._location), autocommit=True)
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
        return connection
