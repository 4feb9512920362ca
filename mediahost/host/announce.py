"""Announcing: telling plugins what happens, so that none can harm the work or each other."""

import logging
import threading
from collections.abc import Collection, Mapping
from typing import Any

from mediahost.errors import MediahostError
from mediahost.model.event import Event, EventKind
from mediahost.plugin.calling import Caller
from mediahost.plugin.registry import Registry

log = logging.getLogger(__name__)

_HOOKS = (
    "mediahost_host_started",
    "mediahost_event",
    "mediahost_run_finished",
    "mediahost_watch_changed",
    "mediahost_host_stopping",
)


class Announcer:
    """Calls the hooks that announce.

    Each plugin is called for itself: one that raises keeps nothing from the others.

    Args:
        registry: The plugins.
        settings: What the settings say of each plugin, by its name.
    """

    def __init__(self, registry: Registry, settings: Mapping[str, Mapping[str, Any]]) -> None:
        self._registry = registry
        self._settings = settings
        self._hear_events: list[tuple[str, Caller, Collection[EventKind]]] | None = None
        self._deaf: set[str] = set()
        self._one_at_a_time = threading.Lock()

    def start(self) -> None:
        """Tell plugins that the host is about to run jobs; once.

        Raises:
            MediahostError: A plugin can't do what its settings say.
        """
        if self._hear_events is not None:
            return
        self._hear_events = []
        wanted: dict[str, Collection[EventKind]] = {}
        for name, call in self._registry.calls.callers("mediahost_host_started"):
            try:
                for kinds in call(settings=self._settings):
                    wanted[name] = frozenset(map(EventKind, kinds))
            except MediahostError:
                raise
            except (Exception, SystemExit):
                log.exception("The plugin %s failed when the host started", name)
        self._deaf = {name for name, kinds in wanted.items() if not kinds}
        self._hear_events = [
            (name, call, wanted.get(name, frozenset(EventKind)))
            for name, call in self._registry.calls.callers("mediahost_event")
        ]

    @property
    def kinds(self) -> Collection[EventKind]:
        """The kinds of event that any plugin wants to hear of."""
        return frozenset().union(*(kinds for _, _, kinds in self._hear_events or ()))

    @property
    def is_heard(self) -> bool:
        """Whether any plugin is told anything, be it that the host has started."""
        heard = {name for hook in _HOOKS for name, _ in self._registry.calls.callers(hook)}
        return not heard <= self._deaf

    def event(self, event: Event) -> None:
        """Tell plugins what happened to a job."""
        for name, call, kinds in self._hear_events or ():
            if event.kind not in kinds:
                continue
            try:
                call(event=event)
            except (Exception, SystemExit):
                log.exception("The plugin %s failed on the event %s", name, event.kind)

    def run_finished(self, summary: Mapping[str, Any]) -> None:
        """Tell plugins that a run has come to its end; those that want no kind of event don't."""
        for name, call in self._registry.calls.callers("mediahost_run_finished"):
            if name in self._deaf:
                continue
            try:
                call(summary=summary)
            except (Exception, SystemExit):
                log.exception("The plugin %s failed when a run had finished", name)

    def watch_changed(self, watch: str, state: str, reason: str) -> None:
        """Tell plugins how a watch is. From any thread."""
        for name, call in self._registry.calls.callers("mediahost_watch_changed"):
            if name in self._deaf:
                continue
            with self._one_at_a_time:
                try:
                    call(watch=watch, state=state, reason=reason)
                except (Exception, SystemExit):
                    log.exception("The plugin %s failed on what became of a watch", name)

    def stop(self) -> None:
        """Tell plugins that the host stops, if they were told that it started."""
        if self._hear_events is None:
            return
        self._hear_events = None
        for name, call in self._registry.calls.callers("mediahost_host_stopping"):
            try:
                call()
            except (Exception, SystemExit):
                log.exception("The plugin %s failed when the host stopped", name)
