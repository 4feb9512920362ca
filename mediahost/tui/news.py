"""News that any screen may have for the whole application."""

from textual.message import Message

from mediahost.errors import StoreError


class Trouble(Message):
    """The store can't be read now."""

    def __init__(self, error: StoreError) -> None:
        super().__init__()
        self.error = error


class StartHost(Message):
    """A person wants another host."""


class PausesChanged(Message):
    """Something was paused or resumed."""
