"""Hosts as others see them: what they say of themselves at each heartbeat."""

from dataclasses import dataclass
from datetime import datetime

from mediahost.model.kept import KeptEnum


class HostStatus(KeptEnum):
    """What a host is at."""

    WORKING = "working"
    IDLE = "idle"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a host tells the others every few seconds.

    Attributes:
        host: Its name: machine, kernel, process, its start, and a random id.
        machine: Name of the machine.
        pid: Its process there.
        version: Of mediahost.
        executor: Where its attempts run.
        slots: How many attempts it runs at once.
        running: How many jobs it has in hand.
        status: working; idle: it has nothing in hand and waits for jobs; or draining: it claims
            nothing more.
    """

    host: str
    machine: str
    pid: int
    version: str
    executor: str
    slots: int
    running: int
    status: HostStatus


@dataclass(frozen=True, slots=True)
class HostView:
    """A host as another one, or a person, looks at it. Times are timezone-aware UTC.

    Attributes:
        heartbeat: The last thing that it said.
        started_at: When it was first heard.
        silent_s: Seconds since it was heard last, by the store's clock.
        is_gone: It surely doesn't run any more; known to who can judge its lock.
    """

    heartbeat: Heartbeat
    started_at: datetime
    silent_s: float
    is_gone: bool = False
