"""What Dask's scheduler knows of tasks: one that it has forgotten gives no answer any more."""

from collections.abc import Collection, Iterable
from typing import Any


class Forgotten:
    """Finds tasks that the scheduler has forgotten.

    One that is missing once may be on its way there, or its answer on its way here.
    """

    def __init__(self) -> None:
        self._missing: set[str] = set()

    def look(self, sent: Iterable[str], known: Collection[str]) -> set[str]:
        """Those of the tasks sent that were missing at this look and at the last."""
        before, self._missing = self._missing, set(sent) - set(known)
        return before & self._missing


def known_tasks(keys: Collection[str], dask_scheduler: Any = None) -> list[str]:
    """Those of these tasks that the scheduler knows; run on it."""
    return [key for key in keys if key in dask_scheduler.tasks]
