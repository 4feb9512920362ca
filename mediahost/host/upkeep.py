"""Upkeep: what a host that works does every so often besides its jobs."""

import logging
import time

from mediahost.host.alone import Alone
from mediahost.host.every import Every
from mediahost.host.fetching import Fetching
from mediahost.host.in_hand import InHand
from mediahost.host.presence import Presence
from mediahost.host.roster import Roster
from mediahost.host.sleep import Sleep
from mediahost.model.hosts import HostStatus
from mediahost.model.job import Token
from mediahost.ports import Executor, Store

log = logging.getLogger(__name__)

CANCEL_POLL_S = 0.25
PROGRESS_EVERY_S = 0.5
HEARTBEAT_S = 5.0
# A host of another machine that has said nothing for so long is not listed any more.
FORGET_S = 3600.0


class Upkeep:
    """Keeps leases, tells the others that this host lives, takes over from those that don't.

    Args:
        host: This host's name.
        store: The store.
        executor: Runs the attempts.
        in_hand: The jobs that this host has claimed.
        fetching: Media files on their way.
        alone: Jobs that wait until they are the only ones.
        presence: Tells the others that this host lives.
        roster: Knows which of them don't.
        lease_s: How long a claim holds.
        cancel_grace_s: How long a cancelled attempt may take to stop by itself.
    """

    def __init__(
        self,
        *,
        host: str,
        store: Store,
        executor: Executor,
        in_hand: InHand,
        fetching: Fetching,
        alone: Alone,
        presence: Presence,
        roster: Roster,
        lease_s: float,
        cancel_grace_s: float,
    ) -> None:
        self._host = host
        self._store = store
        self._executor = executor
        self._in_hand = in_hand
        self._fetching = fetching
        self._alone = alone
        self._presence = presence
        self._roster = roster
        self._lease_s = lease_s
        self._cancel_grace_s = cancel_grace_s
        self._progress: dict[Token, tuple[float, str]] = {}
        self._renewals = Every(lease_s / 4, time.monotonic() + lease_s / 4)
        self._reaping = Every(lease_s / 4)
        self._sleep = Sleep(lease_s / 2)
        self._cancels = Every(CANCEL_POLL_S)
        self._reports = Every(PROGRESS_EVERY_S)
        self._beats = Every(min(HEARTBEAT_S, lease_s / 4))

    def progressed(self, token: Token, fraction: float, message: str) -> None:
        """An attempt in hand is so far; the store is told now and then."""
        self._progress[token] = (fraction, message)

    def do(self, status: HostStatus) -> bool:
        """Do what is due; whether jobs of lost hosts can be claimed now."""
        if self._sleep.is_over():
            self._wake_up()
        # What is this host's still is held first: it would take it from itself.
        if self._renewals.is_due():
            self._renew()
        if self._beats.is_due():
            self._presence.beat(len(self._in_hand), status)
        reaped = self._reaping.is_due() and self._reap()
        if self._in_hand and self._cancels.is_due():
            for token in self._store.cancel_requests(self._host):
                self._fetching.cancel(token)
                self._executor.cancel(token, self._cancel_grace_s)
        self._fetching.enforce_limits()
        if self._progress and self._reports.is_due():
            self._report()
        return reaped

    def _wake_up(self) -> None:
        """Say at once that this host lives; let the others, who slept too, say it as well."""
        now = time.monotonic()
        self._renewals.due = self._beats.due = now
        self._reaping.due = now + self._lease_s

    def _reap(self) -> bool:
        reaped = self._store.reap(self._roster.is_gone)
        if reaped:
            log.info("%d jobs of lost hosts were taken back", len(reaped))
        gone = [
            one.heartbeat.host
            for one in self._roster.views()
            if one.silent_s > FORGET_S or one.is_gone
        ]
        if gone:
            self._store.forget_hosts(gone)
            self._roster.sweep()
        return bool(reaped)

    def _renew(self) -> None:
        held = {one.job.token: one for one in self._in_hand}
        alive = self._executor.alive() & held.keys()
        alive |= (self._fetching.tokens | self._alone.tokens) & held.keys()
        if alive:
            for token in alive - self._store.renew(self._host, alive, self._lease_s):
                # Somebody else owns the job by now; what this attempt does can't count.
                self._fetching.cancel(token)
                self._executor.cancel(token, 0.0)

    def _report(self) -> None:
        told = {token: far for token, far in self._progress.items() if self._in_hand.get(token)}
        self._progress.clear()
        if told:
            self._store.report_progress(self._host, told)
