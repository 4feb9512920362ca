"""The roster: which hosts of a store live, as far as it can be proven."""

import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from mediahost.host.identity import host_of, id_of
from mediahost.host.life_locks import LifeLocks, Lock
from mediahost.model.hosts import HostView

# Heartbeats come at least three times as often.
SHORTEST_SILENCE_S = 15.0

# Many names are asked about in one go.
_LOOK_S = 0.5


class HostStore(Protocol):
    """What a roster asks of a store."""

    def hosts(self) -> list[HostView]:
        """The hosts that were heard of and have not left."""
        ...

    def proven(self, names: Collection[str]) -> set[str]:
        """Those of these hosts that hold a lock in the database."""
        ...


class Roster:
    """Says which hosts are gone.

    Never by a host name or a process number: containers share both. A host holds a lock in its data
    folder, on Postgres one in the database too, and sends heartbeats. A lock that can be judged
    from here is believed at once. Else a host that was silent for as long as a lease is gone.

    Args:
        store: The store that the hosts share.
        data_dir: Where this host has its data; other hosts may have theirs elsewhere.
        lease_s: How long a claim holds.
    """

    def __init__(self, store: HostStore, data_dir: Path, lease_s: float) -> None:
        self._store = store
        self._locks = LifeLocks(data_dir)
        self._silence_s = max(lease_s, SHORTEST_SILENCE_S)
        self._heard: dict[str, HostView] = {}
        self._heard_at = float("-inf")

    def is_gone(self, name: str) -> bool:
        """Whether the host of that name surely doesn't run any more."""
        if id_of(name) is None:
            return False
        lock = self._locks.look(name)
        if lock is not Lock.SILENT:
            return lock is Lock.FREE
        view = self._views().get(name)
        if view is not None and view.silent_s <= self._silence_s:
            return False
        return name not in self._store.proven([name])

    def is_abandoned(self, source: str) -> bool:
        """Whether the host that would claim this source's jobs surely doesn't run any more."""
        host = host_of(source)
        return bool(host) and self.is_gone(host)

    def views(self) -> list[HostView]:
        """The hosts that were heard of and have not left, with what is known of their end."""
        self._heard_at = float("-inf")
        views = list(self._views().values())
        return [replace(view, is_gone=self.is_gone(view.heartbeat.host)) for view in views]

    def sweep(self) -> None:
        """Remove the lock files of hosts that are gone and forgotten."""
        self._locks.sweep(set(self._views()))

    def _views(self) -> dict[str, HostView]:
        now = time.monotonic()
        if now - self._heard_at > _LOOK_S:
            self._heard = {view.heartbeat.host: view for view in self._store.hosts()}
            self._heard_at = now
        return self._heard
