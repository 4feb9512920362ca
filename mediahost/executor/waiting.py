"""Attempts that wait for a worker, and which of them may be given to one ahead."""

from collections import deque
from collections.abc import Collection, Iterable

from mediahost.executor.attempt import Attempt

# A worker that must ask for each attempt sleeps between them, and waking costs 50 to 100 µs, as
# much as a short attempt; the host reads as many answers at a time. So a worker is given what
# keeps it busy for so long, but no more than so many.
AHEAD_MS = 32.0
AHEAD_MOST = 128
# Longer ones don't notice, and must not wait behind each other while another worker is idle.
QUICK_MS = 2.0
# On a busy machine an attempt may wait so long for a core, which says nothing of the next one.
CORE_WAIT_MS = 20
# How often an attempt is passed by others that a worker has a model loaded for, and how far ahead
# those are looked for.
PASSES_MOST = 8
LOOK_AHEAD = 64
_WEIGHT = 0.2


class Waiting:
    """A queue, and what is known of the actions in it.

    An action is quick while its attempts take less than 2 ms in the mean and write nothing:
    what a quick one writes all of a sudden may land in the log of its neighbour.
    """

    def __init__(self) -> None:
        self._attempts: deque[Attempt] = deque()
        self._mean_ms: dict[str, float] = {}
        self._loud: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._attempts)

    def __len__(self) -> int:
        return len(self._attempts)

    def add(self, attempts: Iterable[Attempt]) -> None:
        """Queue up at the end."""
        self._attempts.extend(attempts)

    def put_back(self, attempts: Iterable[Attempt]) -> None:
        """Queue up at the front, in their order."""
        self._attempts.extendleft(reversed(list(attempts)))

    def first(self) -> Attempt | None:
        """The next in turn that is not over."""
        while self._attempts and self._attempts[0].over:
            self._attempts.popleft()
        return self._attempts[0] if self._attempts else None

    def prefer(self, kinds: Collection[str]) -> None:
        """Have the first of these kinds go next, past the one whose turn it is, but not for ever.

        (Measured: of 600 attempts over three models, 413 loaded one; with this 38.)
        """
        head = self.first()
        if head is None or head.passed >= PASSES_MOST or head.kind in kinds:
            return
        for index in range(1, min(len(self._attempts), LOOK_AHEAD)):
            attempt = self._attempts[index]
            if not attempt.over and attempt.kind in kinds:
                head.passed += 1
                del self._attempts[index]
                self._attempts.appendleft(attempt)
                return

    def take(self, most: int) -> list[Attempt]:
        """The next in turn, and up to `most` in all if they are all quick."""
        taken: list[Attempt] = []
        while len(taken) < most and (attempt := self.first()) is not None:
            if taken and not (self.is_quick(attempt) and self.is_quick(taken[0])):
                break
            taken.append(self._attempts.popleft())
        return taken

    def clear(self) -> list[Attempt]:
        """Take all that are not over."""
        left = [attempt for attempt in self._attempts if not attempt.over]
        self._attempts.clear()
        return left

    def is_quick(self, attempt: Attempt) -> bool:
        """Whether others may wait behind it in the same worker."""
        action = attempt.spec.action
        return action not in self._loud and self._mean_ms.get(action, QUICK_MS) < QUICK_MS

    def ahead(self, attempt: Attempt) -> int:
        """How many such attempts a worker may have: one, but several of a quick one."""
        if not self.is_quick(attempt):
            return 1
        return int(AHEAD_MS / max(self._mean_ms[attempt.spec.action], AHEAD_MS / AHEAD_MOST))

    def learn(self, action: str, elapsed_ms: int, *, loud: bool, interrupted: bool = False) -> None:
        """An attempt at this action took so long.

        Args:
            action: Its name.
            elapsed_ms: How long, by the clock.
            loud: It wrote something.
            interrupted: The kernel gave its core to others meanwhile.
        """
        mean = self._mean_ms.get(action, float(elapsed_ms))
        if not interrupted or elapsed_ms > CORE_WAIT_MS:
            self._mean_ms[action] = mean + _WEIGHT * (elapsed_ms - mean)
        if loud:
            self._loud.add(action)
