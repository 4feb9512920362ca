"""Stretches of a recording in which nothing is found, as where a file was overwritten."""

# A camera or a sender may stop for a moment, and some encoders send nothing while it is silent.
SHORTEST_S = 2.0


class Holes:
    """Takes the times of packets as they are read, of sound and whatever goes with it.

    Pictures alone have no holes: one may be on view for as long as it likes.
    """

    def __init__(self) -> None:
        self._gaps: list[float] = []
        self._reached: float | None = None
        self._heard = False

    @property
    def seconds(self) -> float:
        """How long the holes are in all; 0 without sound."""
        return sum(self._gaps) if self._heard else 0.0

    def add(self, start: float, end: float, *, is_sound: bool) -> None:
        """A packet that lasts from `start` to `end`, in seconds."""
        self._heard = self._heard or is_sound
        if self._reached is None or end > self._reached:
            if self._reached is not None and start - self._reached > SHORTEST_S:
                self._gaps.append(start - self._reached)
            self._reached = end
