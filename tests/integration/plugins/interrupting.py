"""A plugin that has a signal arrive where what a handler raises is lost: in a finalizer."""

import os
import signal
from collections.abc import Sequence

from mediahost import Event, hookimpl
from mediahost.model.event import EventKind


class Last:
    """Its end is a signal to this process."""

    def __del__(self) -> None:
        signal.raise_signal(signal.Signals[os.environ.get("SIGNAL", "SIGINT")])


@hookimpl
def mediahost_host_started(settings: object) -> Sequence[EventKind]:
    """Before any job runs."""
    if os.environ["WHEN"] == "planning":
        Last()
    return [EventKind.STARTED]


@hookimpl
def mediahost_event(event: Event) -> None:
    """While jobs run."""
    if os.environ["WHEN"] == "running":
        Last()
