"""News that any screen may have for the whole application."""

from collections.abc import Mapping

from textual.message import Message

from mediahost.errors import StoreError
from mediahost.model.job import JobStatus


class Trouble(Message):
    """The store can't be read now."""

    def __init__(self, error: StoreError) -> None:
        super().__init__()
        self.error = error


class Counted(Message):
    """How many jobs there are of each status."""

    def __init__(self, counts: Mapping[JobStatus, int]) -> None:
        super().__init__()
        self.counts = dict(counts)


class StartHost(Message):
    """A person wants another host."""
