"""The crew: all workers of an executor, what they are watched by, and who of them is free."""

import selectors
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

from mediahost.executor.child import Child
from mediahost.executor.groups import Groups
from mediahost.executor.orphans import become_subreaper

ChildT = TypeVar("ChildT", bound=Child)

# Importing a plugin that brings a large framework takes tens of seconds on a cold disk.
START_LIMIT_S = 120.0
# Between jobs a worker has little to finish: `mediahost_worker_stopping`, closing resources.
END_LIMIT_S = 3.0
# A worker that closed its socket is about to exit; this long its exit code is waited for.
EXIT_LIMIT_S = 0.5
# A process that SIGKILL doesn't end hangs in the kernel, on a dead network drive for one.
KILL_LIMIT_S = 10.0
# Where no pidfd tells of a worker's death, its socket does; this is for one that was passed on.
POLL_S = 0.1


class Crew(Generic[ChildT]):
    """Workers come and go here; what they run is the supervisor's.

    Args:
        name: What the workers' names begin with.
        hire: Starts a worker of this name.
        heard: Called when a worker's socket has something.
        ended: Called when a worker's process has ended.

    Attributes:
        members: Those that attempts may be given to, now or once they are ready.
        idle: Those of them that have nothing to do, the last to have worked last.
        retired: Those that are about to end in order.
        selector: Watches them.
    """

    def __init__(
        self,
        name: str,
        hire: Callable[[str], ChildT],
        *,
        heard: Callable[[ChildT], None],
        ended: Callable[[ChildT], None],
    ) -> None:
        self._name = name
        self._hire = hire
        self._heard = heard
        self._ended = ended
        self._started = 0
        self._groups = Groups()
        self._undead: list[ChildT] = []
        self.members: list[ChildT] = []
        self.idle: list[ChildT] = []
        self.retired: list[ChildT] = []
        self.selector = selectors.DefaultSelector()

    def everybody(self) -> tuple[ChildT, ...]:
        """All that may still run."""
        return (*self.members, *self.retired)

    def start(self) -> None:
        """Start another.

        Raises:
            OSError: It can't be started.
        """
        become_subreaper()
        self._started += 1
        child = self._hire(f"{self._name}-{self._started}")
        child.kill_at = time.monotonic() + START_LIMIT_S
        self.members.append(child)
        self._groups.add(child.process.pid)
        watch = self.selector.register
        watch(child.jobs, selectors.EVENT_READ, partial(self._hear, child))
        watch(child.output, selectors.EVENT_READ, partial(self._read, child))
        if child.pidfd is not None:
            watch(child.pidfd, selectors.EVENT_READ, partial(self._ended, child))

    def watch_for_room(self, child: ChildT) -> None:
        """Hear of it when its socket isn't full any more, if it is."""
        events = selectors.EVENT_READ
        if child.is_full():
            events |= selectors.EVENT_WRITE
        self.selector.modify(child.jobs, events, partial(self._hear, child))

    def retire(self, child: ChildT) -> None:
        """Let a worker with nothing to do end in order; its place is free at once."""
        self._drop(child)
        self.retired.append(child)
        child.kill_at = time.monotonic() + END_LIMIT_S
        child.ask_to_end()

    def kill(self, child: ChildT) -> None:
        """End a worker and all that it runs; that it has ended is told later."""
        child.kill()
        child.kill_at = None
        child.abandon_at = time.monotonic() + KILL_LIMIT_S
        for attempt in child.line:
            attempt.ends_at = None

    def send_home(self) -> None:
        """Let those end that have nothing to do."""
        for child in tuple(self.idle):
            self.retire(child)
        for child in self.members:
            if not child.ready and child.abandon_at is None:
                self.kill(child)

    def bury(self, child: ChildT) -> int | None:
        """Forget a worker that is dead, or as good as dead.

        Returns:
            Its exit code as `subprocess` gives it; None where even the kernel can't end it.
        """
        self._unwatch(child.jobs, child.output, child.pidfd)
        code = child.bury()
        self._groups.remove(child.process.pid)
        self._drop(child)
        if code is None:
            # Its Popen must not be forgotten: it couldn't be waited for any more.
            self._undead.append(child)
        return code

    def deadlines(self) -> list[float]:
        """When something must be done about a worker, by the monotonic clock."""
        everybody = self.everybody()
        deadlines = [at for child in everybody if (at := child.next_deadline()) is not None]
        if any(child.pidfd is None for child in everybody):
            deadlines.append(time.monotonic() + POLL_S)
        return deadlines

    def close(self) -> None:
        """Let go of the reaper and the selector."""
        self._groups.close()
        self.selector.close()

    def _hear(self, child: ChildT) -> None:
        if child.gone:
            return
        if child.is_full():
            child.send_more()
            self.watch_for_room(child)
        self._heard(child)
        if child.silent:
            self._unwatch(child.jobs)
            child.kill_at = time.monotonic() + EXIT_LIMIT_S
            if child in self.idle:
                self.idle.remove(child)

    def _read(self, child: ChildT) -> None:
        if not child.gone and not child.read_output():
            self._unwatch(child.output)

    def _unwatch(self, *watched: object) -> None:
        """Hear no more of a socket, a pipe or a process."""
        for one in watched:
            with suppress(KeyError, ValueError):  # not watched any more, or never
                self.selector.unregister(one)  # type: ignore[arg-type]

    def _drop(self, child: ChildT) -> None:
        for place in (self.members, self.idle, self.retired):
            if child in place:
                place.remove(child)
