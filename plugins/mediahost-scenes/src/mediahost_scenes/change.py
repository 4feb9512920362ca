"""How much a picture differs from another, and where that is a cut."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mediahost_scenes.film import Picture, Planes

# So many pictures on each side say what is usual around a change. Animation that shows each
# drawing for three frames changes at every third.
REACH = 4
# The colour of most pictures is paler than they are bright, so it counts more.
_WEIGHTS = np.array([0.5, 1.0, 1.0])
# Of a change: if it is undone within REACH pictures but for so much, it was a flash.
_UNDONE = 0.5


class Change(NamedTuple):
    """A picture that may begin a scene.

    Attributes:
        seconds: When it is shown.
        amount: How much it differs from the one before beyond what is usual around it, 0 to 255
            and more.
        undone: Whether all is as before shortly after: a flash.
    """

    seconds: float
    amount: float
    undone: bool


class Changes:
    """Takes pictures, tells of each how much changed with it, a few pictures later."""

    def __init__(self) -> None:
        self._pictures: deque[Picture] = deque(maxlen=2 * REACH + 1)
        self._steps: deque[float] = deque(maxlen=2 * REACH + 1)

    def take(self, picture: Picture) -> Iterator[Change]:
        """The change of the picture before the last `REACH` ones."""
        before = self._pictures[-1] if self._pictures else picture
        self._steps.append(difference(before.planes, picture.planes))
        self._pictures.append(picture)
        if len(self._pictures) > REACH:
            yield self._change(len(self._pictures) - 1 - REACH)

    def finish(self) -> Iterator[Change]:
        """Those of the last pictures."""
        for place in range(max(len(self._pictures) - REACH, 0), len(self._pictures)):
            yield self._change(place)

    def _change(self, place: int) -> Change:
        around = [*self._steps][max(place - REACH, 0) : place + REACH + 1]
        step = self._steps[place]
        around.remove(step)
        # The second largest: one other leap nearby is no motion.
        usual = sorted(around)[-2] if len(around) > 1 else 0.0
        amount = step - usual
        first = self._pictures[max(place - REACH, 0)]
        last = self._pictures[min(place + REACH, len(self._pictures)) - 1]
        undone = amount > 0 and difference(first.planes, last.planes) < _UNDONE * step
        return Change(self._pictures[place].seconds, max(amount, 0.0), undone)


def difference(one: Planes, other: Planes) -> float:
    """How much a pixel differs on average, colours counted fully and brightness half."""
    if one is other:
        return 0.0
    apart = np.maximum(one, other)
    apart -= np.minimum(one, other)
    # Sums of integers take half the time of means.
    sums = np.add.reduce(apart.reshape(3, -1), axis=1, dtype=np.uint32)
    difference: float = sums @ _WEIGHTS / one[0].size
    return difference
