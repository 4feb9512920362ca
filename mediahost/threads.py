"""Threads that never end in silence: one guard around the work of each."""

import logging
import threading
from collections.abc import Callable
from functools import partial

from mediahost.errors import MediahostError

log = logging.getLogger(__name__)

OnFault = Callable[[BaseException], object]


class GuardedThread(threading.Thread):
    """A daemon thread whose work is guarded: what it raises is logged and handed on.

    Python prints a traceback for a thread that dies, and whatever waits for the thread waits on.

    Args:
        work: What the thread does.
        name: Its name in logs.
        failed: Gets what `work` raised, on the same thread. It ends what the work owed to others.
    """

    def __init__(
        self, work: Callable[[], object], *, name: str, failed: OnFault | None = None
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._failed = failed

    def run(self) -> None:
        """Do the work."""
        guarded(self._work, self._failed)


def guarded(work: Callable[[], object], failed: OnFault | None = None) -> bool:
    """Do something whatever it raises, `SystemExit` included.

    Args:
        work: What to do.
        failed: Gets what `work` raised; what this raises itself is logged too.

    Returns:
        Whether it was done.
    """
    try:
        work()
    except BaseException as error:
        # One of our own errors is a sentence for a person, which `failed` passes on.
        if failed is None or not isinstance(error, MediahostError):
            log.exception("The thread %s failed", threading.current_thread().name)
        if failed is not None:
            guarded(partial(failed, error))
        return False
    return True
