"""Views: how results are shown. Plugins give theirs by `mediahost_register_views`."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.widget import Widget

from mediahost.model.job import JobView
from mediahost.plugin.registry import Registry
from mediahost.ports import StoredResult
from mediahost.tui.shelter import Shelter

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a view is made with.

    Attributes:
        stored: The result, its config, and the media file that it was computed from.
        job: The job that is looked at.
        others: All results for the same content, this one among them, the newest first; after
            them those for what was made of it, with the times that they have in it.
        pictures: Whether pictures may be drawn.
    """

    stored: StoredResult
    job: JobView
    others: Sequence[StoredResult] = ()
    pictures: bool = True


class Views:
    """Views by the name of the action whose results they show.

    Args:
        registry: The plugins.
        plain: Makes the view of what no plugin has one for.
    """

    def __init__(self, registry: Registry, plain: Callable[[Shown], Widget]) -> None:
        self._plain = plain
        self._by_action: dict[str, Callable[[Shown], Widget]] = {}
        self.faults: list[str] = []
        for implementation in registry.plugins.hook.mediahost_register_views.get_hookimpls():
            try:
                given: Any = implementation.function()
                self._by_action.update(given)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code runs here
                self._note(implementation.plugin_name, error)

    def view(self, shown: Shown) -> Widget:
        """A widget that shows the result; the plain one where a plugin's fails, now or later."""
        action = shown.stored.action
        plain = partial(self._plain, shown)
        note = partial(self._note, action)
        make = self._by_action.get(action)
        return (
            Shelter(plain, None, note)
            if make is None
            else Shelter(partial(make, shown), plain, note)
        )

    def _note(self, name: str, error: BaseException) -> str:
        fault = f"The view of {name} can't be used: {type(error).__name__}: {error}"
        if fault not in self.faults:
            self.faults.append(fault)
            log.warning(fault, exc_info=error)
        return fault
