"""The part of a source that is wanted."""

from typing import NamedTuple


class Window(NamedTuple):
    """A stretch of the source.

    Attributes:
        start: Seconds from the source's beginning.
        length: Seconds, or None: to the end.
    """

    start: float = 0.0
    length: float | None = None

    @property
    def end(self) -> float | None:
        """Seconds from the source's beginning, or None."""
        return None if self.length is None else self.start + self.length


WHOLE = Window()
