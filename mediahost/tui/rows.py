"""The rows of a list of any length: their numbers, and the lines of those near the eye."""

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping

from mediahost.store.browse import JobLine, Order

KEPT_LINES = 64 * 128


class Rows:
    """Numbers of the jobs that are listed, and lines of some of them.

    A row stays where it is, whatever becomes of its job: nothing jumps under the cursor.
    """

    def __init__(self, order: Order = Order.NEWEST) -> None:
        self.order = order
        self._numbers: array[int] = array("q")
        self._lines: OrderedDict[int, JobLine] = OrderedDict()
        self._stale: set[int] = set()

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def numbers(self) -> "array[int]":
        """All numbers, in no promised order."""
        return self._numbers

    def number_at(self, index: int) -> int:
        """The number of the job in a row, counted from 0 at the top."""
        return self._numbers[-1 - index if self.order is Order.NEWEST else index]

    def numbers_at(self, first: int, count: int) -> list[int]:
        """The numbers of some rows, those that there are."""
        last = min(first + count, len(self._numbers))
        return [self.number_at(index) for index in range(max(0, first), last)]

    def index_of(self, number: int) -> int | None:
        """The row of a job, or None."""
        if self.order in (Order.NEWEST, Order.OLDEST):
            at = bisect_left(self._numbers, number)
            if at == len(self._numbers) or self._numbers[at] != number:
                return None
            return len(self._numbers) - 1 - at if self.order is Order.NEWEST else at
        try:
            return self._numbers.index(number)
        except ValueError:
            return None

    def nearest(self, number: int) -> int:
        """The row where a job is, or would be; 0 where that can't be said."""
        if not self._numbers or self.order not in (Order.NEWEST, Order.OLDEST):
            return self.index_of(number) or 0
        at = min(bisect_left(self._numbers, number), len(self._numbers) - 1)
        return len(self._numbers) - 1 - at if self.order is Order.NEWEST else at

    def replace(self, numbers: "array[int]", order: Order) -> None:
        """Another list. Lines that are known stay known, but are to be read again."""
        self.order = order
        self._numbers = numbers
        self._stale.update(self._lines)

    def extend(self, fresh: Iterable[int]) -> None:
        """New jobs, ascending: they come above the newest."""
        self._numbers.extend(fresh)

    def line(self, number: int) -> JobLine | None:
        """The line of a job, if it is known."""
        return self._lines.get(number)

    def put(self, lines: Iterable[JobLine]) -> list[int]:
        """Keep lines; returns the numbers of those that differ from what was kept."""
        changed = []
        for line in lines:
            number = line.number
            if self._lines.get(number) != line:
                changed.append(number)
                self._lines[number] = line
            self._lines.move_to_end(number)
            self._stale.discard(number)
        while len(self._lines) > KEPT_LINES:
            number, _ = self._lines.popitem(last=False)
            self._stale.discard(number)
        return changed

    def distrust(self, numbers: Iterable[int] | None = None, *, but: Collection[int] = ()) -> None:
        """Lines of these jobs, or of all but some, are to be read again before they are shown."""
        asked = self._lines if numbers is None else self._lines.keys() & set(numbers)
        self._stale.update(asked)
        self._stale.difference_update(but)

    def advance(self, progress: Mapping[int, tuple[float, str]]) -> list[int]:
        """How far jobs are now; returns the numbers of those that look different."""
        moved = []
        for number, (fraction, message) in progress.items():
            line = self._lines.get(number)
            if line is not None and (line.fraction, line.message) != (fraction, message):
                self._lines[number] = line._replace(fraction=fraction, message=message)
                moved.append(number)
        return moved

    def unread(self, numbers: Iterable[int]) -> list[int]:
        """Those of these jobs whose lines are not known, or not to be trusted."""
        return [n for n in numbers if n not in self._lines or n in self._stale]


def joined(stretches: list["array[int]"]) -> "array[int]":
    """One array of several, the last first. They are used up: a million numbers are there once."""
    whole = array("q")
    while stretches:
        whole.extend(stretches.pop())
    return whole
