"""What remembers: jobs, cached results and hashes of files, in one database."""

from mediahost.store.memory import MemoryStore
from mediahost.store.store import SqlStore, open_store

__all__ = ["MemoryStore", "SqlStore", "open_store"]
