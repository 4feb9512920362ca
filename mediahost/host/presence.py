"""Presence: how a host proves to others that it lives."""

from collections.abc import Callable
from pathlib import Path

from mediahost.errors import StoreError
from mediahost.host.life_locks import HeldLock, LifeLocks
from mediahost.model.hosts import Heartbeat, HostStatus
from mediahost.ports import Proof, Store

MakeHeartbeat = Callable[[int, HostStatus], Heartbeat]


class Presence:
    """A lock in the data folder, one in the database where it has such locks, and heartbeats.

    A host is present before anything in the store or on the disk has its name.

    Args:
        name: The host's.
        store: The store.
        data_dir: Where the host has its data.
        heartbeat: What to say of the host, by how many attempts run and what it does.
    """

    def __init__(self, name: str, store: Store, data_dir: Path, heartbeat: MakeHeartbeat) -> None:
        self._name = name
        self._store = store
        self._locks = LifeLocks(data_dir)
        self._heartbeat = heartbeat
        self._lock: HeldLock | None = None
        self._proof: Proof | None = None

    def begin(self) -> None:
        """Be there, once.

        Raises:
            StoreError: The data folder or the store can't be written.
        """
        if self._lock is not None:
            return
        try:
            self._lock = self._locks.hold(self._name)
        except OSError as error:
            raise StoreError(
                f"The data folder can't be written: {error.strerror}: {error.filename}",
                "Free space there, or set data_dir to a folder that you may write to.",
            ) from None
        self._proof = self._store.proof(self._name)
        self.beat(0, HostStatus.IDLE)

    def beat(self, running: int, status: HostStatus) -> None:
        """Tell the others how it is."""
        if self._proof is not None:
            self._proof.renew()
        self._store.beat(self._heartbeat(running, status))

    def end(self) -> None:
        """Leave, if it was there."""
        if self._lock is None:
            return
        self._store.forget_hosts([self._name])
        if self._proof is not None:
            self._proof.close()
        self._lock.end()
        self._lock = None
