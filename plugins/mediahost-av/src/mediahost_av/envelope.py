"""How far sound swings, over time, in constant memory."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]

MOST_BINS = 16_384
FIRST_BIN = 16  # samples
# Frames have some thousand samples; to look at a few of them at once takes half the time.
BATCH = 8192


class Envelope:
    """Takes samples, keeps the lowest and the highest of each short stretch.

    When there are too many stretches, neighbours are joined: a day of sound takes as much memory as
    a minute.

    Attributes:
        samples: How many were taken.
    """

    def __init__(self) -> None:
        self.samples = 0
        self._size = FIRST_BIN
        self._low = np.empty(0, np.float32)
        self._high = np.empty(0, np.float32)
        self._rest_low: list[Floats] = []
        self._rest_high: list[Floats] = []
        self._rest = 0

    def take(self, channels: Sequence[Floats]) -> None:
        """Take some samples of each channel, as many of one as of another, -1 to 1."""
        self.samples += channels[0].size
        self._rest += channels[0].size
        self._rest_low.append(reduce(np.minimum, channels))
        self._rest_high.append(reduce(np.maximum, channels))
        if self._rest >= max(BATCH, self._size):
            self._keep()

    def _keep(self) -> None:
        low, high = np.concatenate(self._rest_low), np.concatenate(self._rest_high)
        whole = low.size // self._size * self._size
        self._rest_low, self._rest_high = [low[whole:]], [high[whole:]]
        self._rest = low.size - whole
        self._low = np.concatenate([self._low, low[:whole].reshape(-1, self._size).min(axis=1)])
        self._high = np.concatenate([self._high, high[:whole].reshape(-1, self._size).max(axis=1)])
        while self._low.size > MOST_BINS:
            self._join()

    def columns(self, count: int) -> tuple[Floats, Floats]:
        """The lowest and the highest of each of so many equal stretches of all the sound."""
        if self._rest_low:
            self._keep()
        low, high = self._low, self._high
        if self._rest:
            low = np.append(low, self._rest_low[0].min())
            high = np.append(high, self._rest_high[0].max())
        if not low.size:
            return np.zeros(count, np.float32), np.zeros(count, np.float32)
        edges = np.arange(count + 1) * low.size / count
        starts = np.minimum(edges[:-1].astype(int), low.size - 1)
        ends = np.minimum(np.maximum(np.ceil(edges[1:]).astype(int), starts + 1), low.size)
        return (
            np.array([low[a:b].min() for a, b in zip(starts, ends, strict=True)], np.float32),
            np.array([high[a:b].max() for a, b in zip(starts, ends, strict=True)], np.float32),
        )

    def _join(self) -> None:
        if self._low.size % 2:
            # The odd one waits with the rest, as many times as it stands for samples.
            self._rest_low.insert(0, np.full(self._size, self._low[-1]))
            self._rest_high.insert(0, np.full(self._size, self._high[-1]))
            self._rest += self._size
            self._low, self._high = self._low[:-1], self._high[:-1]
        self._low = self._low.reshape(-1, 2).min(axis=1)
        self._high = self._high.reshape(-1, 2).max(axis=1)
        self._size *= 2
