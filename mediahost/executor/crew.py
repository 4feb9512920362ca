"""The crew: all workers of an executor, what they are watched by, and who of them is free."""

import selectors
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from mediahost.executor.child import Child
from mediahost.executor.groups import Groups

# Importing a plugin that brings a large framework takes tens of seconds on a cold disk.
START_LIMIT_S = 120.0
# Between jobs a worker has little to finish: `mediahost_worker_stopping`, closing resources.
END_LIMIT_S = 3.0
# A process that SIGKILL doesn't end hangs in the kernel, on a dead network drive for one.
KILL_LIMIT_S = 10.0


class Crew:
    """Workers come and go here; what they run is the supervisor's.

    Args:
        name: What the workers' names begin with.
        python: The workers' interpreter.
        plugins: Plugins that workers load besides the installed ones.
        heard: Called when a worker's socket has something, or room again.
        wrote: Called when there is output of a worker.
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
        python: str,
        plugins: Sequence[str],
        *,
        heard: Callable[[Child], None],
        wrote: Callable[[Child], None],
        ended: Callable[[Child], None],
    ) -> None:
        self._name = name
        self._python = python
        self._plugins = plugins
        self._heard = heard
        self._wrote = wrote
        self._ended = ended
        self._started = 0
        self._groups = Groups()
        self._undead: list[Child] = []
        self.members: list[Child] = []
        self.idle: list[Child] = []
        self.retired: list[Child] = []
        self.selector = selectors.DefaultSelector()

    def everybody(self) -> tuple[Child, ...]:
        """All that may still run."""
        return (*self.members, *self.retired)

    def start(self) -> None:
        """Start another.

        Raises:
            OSError: It can't be started.
        """
        self._started += 1
        child = Child(f"{self._name}-{self._started}", self._python, self._plugins)
        child.kill_at = time.monotonic() + START_LIMIT_S
        self.members.append(child)
        self._groups.add(child.process.pid)
        watch = self.selector.register
        watch(child.jobs, selectors.EVENT_READ, partial(self._heard, child))
        watch(child.output, selectors.EVENT_READ, partial(self._wrote, child))
        if child.pidfd is not None:
            watch(child.pidfd, selectors.EVENT_READ, partial(self._ended, child))

    def watch_for_room(self, child: Child) -> None:
        """Hear of it when its socket isn't full any more, if it is."""
        events = selectors.EVENT_READ
        if child.is_full():
            events |= selectors.EVENT_WRITE
        self.selector.modify(child.jobs, events, partial(self._heard, child))

    def unwatch(self, *watched: object) -> None:
        """Hear no more of a socket, a pipe or a process."""
        for one in watched:
            with suppress(KeyError, ValueError):  # not watched any more, or never
                self.selector.unregister(one)  # type: ignore[arg-type]

    def retire(self, child: Child) -> None:
        """Let an idle worker end in order; its place is free at once."""
        self.idle.remove(child)
        self.members.remove(child)
        self.retired.append(child)
        child.kill_at = time.monotonic() + END_LIMIT_S
        child.ask_to_end()

    def kill(self, child: Child) -> None:
        """End a worker and all that it runs; that it has ended is told later."""
        child.kill()
        child.kill_at = None
        child.abandon_at = time.monotonic() + KILL_LIMIT_S
        if child.attempt:
            child.attempt.ends_at = None

    def send_home(self) -> None:
        """Let those end that have nothing to do."""
        for child in tuple(self.idle):
            self.retire(child)
        for child in self.members:
            if not child.ready and child.abandon_at is None:
                self.kill(child)

    def bury(self, child: Child) -> int | None:
        """Forget a worker that is dead, or as good as dead.

        Returns:
            Its exit code as `subprocess` gives it; None where even the kernel can't end it.
        """
        self.unwatch(child.jobs, child.output, child.pidfd)
        code = child.bury()
        self._groups.remove(child.process.pid)
        for place in (self.members, self.idle, self.retired):
            if child in place:
                place.remove(child)
        if code is None:
            # Its Popen must not be forgotten: it couldn't be waited for any more.
            self._undead.append(child)
        return code

    def close(self) -> None:
        """Let go of the reaper and the selector."""
        self._groups.close()
        self.selector.close()
