"""What hosts and people tell each other: heartbeats and pauses."""

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    true,
)

from mediahost.model.hosts import Heartbeat, HostStatus, HostView
from mediahost.model.job import JobStatus
from mediahost.model.pause import Pause, PauseKind
from mediahost.store.ahead import TAKE_BACK
from mediahost.store.dialect import among, listed, look_up, unix_now, upsert, write_rows
from mediahost.store.engine import Database, lasting
from mediahost.store.tables import ACTIVE, FOREIGN, PROCESSING, hosts, jobs, pauses

_SAID = (
    hosts.c.host,
    hosts.c.machine,
    hosts.c.pid,
    hosts.c.version,
    hosts.c.executor,
    hosts.c.slots,
    hosts.c.running,
    hosts.c.status,
)
_SEEN_NOW = {"seen_at": unix_now()}
_SILENT_S: ColumnElement[float] = unix_now() - hosts.c.seen_at
_VIEW = select(*_SAID, hosts.c.started_at, _SILENT_S.label("silent_s")).order_by(
    hosts.c.started_at, hosts.c.host
)
_FORGET = delete(hosts).where(among([hosts.c.host], "names"))

_PAUSE = insert(pauses)
_PAUSES = select(pauses.c.kind, pauses.c.name).order_by(pauses.c.kind, pauses.c.name)
_RESUME = (
    delete(pauses)
    .where(among([pauses.c.kind, pauses.c.name], "pauses"))
    .returning(pauses.c.kind, pauses.c.name)
)
_WAITING: Select[Any] = (
    select(literal_column("1"))
    .where(
        ACTIVE,
        text(
            "action IS NOT NULL AND (status = 'processing' OR status = 'pending' AND NOT EXISTS ("
            "SELECT 1 FROM pauses WHERE pauses.kind = 'all'"
            " OR pauses.kind = 'source' AND pauses.name = jobs.source"
            " OR pauses.kind = 'action' AND pauses.name = jobs.action))"
        ),
    )
    .select_from(jobs)
)
_FOREIGN = select(jobs.c.status, func.count()).where(FOREIGN).group_by(jobs.c.status)
# The first entry of either status in idx_jobs_source, however many jobs the source has had.
_HAS_ACTIVE = select(
    or_(
        *(
            exists().where(jobs.c.source == bindparam("of_source"), text(f"status = '{status}'"))
            for status in (JobStatus.PROCESSING, JobStatus.PENDING)
        )
    )
)


class Hosts:
    """Who is there, and what shall wait."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @lasting
    def beat(self, heartbeat: Heartbeat) -> None:
        """Tell the others that this host lives, and what it does."""
        row = {**asdict(heartbeat), "status": heartbeat.status.value}
        with self._database.write() as connection:
            upsert(connection, hosts, [row], key=["host"], fixed=_SEEN_NOW)

    @lasting
    def hosts(self) -> list[HostView]:
        """The hosts that were heard of and have not left, the longest known first."""
        with self._database.read() as connection:
            rows = connection.execute(_VIEW).all()
        return [_view(*row) for row in rows]

    @lasting
    def forget_hosts(self, names: Collection[str]) -> None:
        """These hosts have left or are gone."""
        with self._database.write() as connection:
            connection.execute(_FORGET, {"names": listed(names)})

    @lasting
    def pause(self, asked: Collection[Pause]) -> None:
        """Have no host claim these jobs; those under way go on."""
        rows = [{"kind": pause.kind.value, "name": pause.name} for pause in asked]
        with self._database.write() as connection:
            there = set(_pauses(connection.execute(_PAUSES)))
            new = [row for row, pause in zip(rows, asked, strict=True) if pause not in there]
            if new:
                write_rows(connection, _PAUSE, new)
            for paused in asked:
                connection.execute(TAKE_BACK.where(_holds(paused)))

    @lasting
    def resume(self, asked: Collection[Pause]) -> set[Pause]:
        """Have these jobs claimed again; returns those that were paused."""
        wanted = listed((pause.kind.value, pause.name) for pause in asked)
        with self._database.write() as connection:
            rows = connection.execute(_RESUME, {"pauses": wanted}).all()
        return set(_pauses(rows))

    @lasting
    def pauses(self) -> list[Pause]:
        """What is paused."""
        with self._database.read() as connection:
            return _pauses(connection.execute(_PAUSES))

    @lasting
    def count_waiting(
        self,
        source: str | None = None,
        without: Collection[str] = (),
        most: int | None = None,
    ) -> int:
        """How many jobs are processing, or pending and not paused; no more than `most`."""
        waiting = _WAITING if source is None else _WAITING.where(jobs.c.source == source)
        if without:
            waiting = waiting.where(or_(PROCESSING, jobs.c.action.not_in(without)))
        counting = select(func.count()).select_from(waiting.limit(most).subquery())
        with self._database.read() as connection:
            return int(connection.execute(counting).scalar_one())

    @lasting
    def count_foreign(self) -> dict[JobStatus, int]:
        """How many jobs of other programs there are, by status."""
        with self._database.read() as connection:
            rows = connection.execute(_FOREIGN)
            return {JobStatus.kept(status): count for status, count in rows}

    @lasting
    def has_active(self, source: str) -> bool:
        """Whether any job of a source is pending or processing."""
        ((has_any,),) = look_up(self._database, _HAS_ACTIVE, {"of_source": source})
        return bool(has_any)


def _holds(pause: Pause) -> ColumnElement[bool]:
    """Whether a job is one of those."""
    if pause.kind is PauseKind.ALL:
        return true()
    return (jobs.c.source if pause.kind is PauseKind.SOURCE else jobs.c.action) == pause.name


def _pauses(rows: Iterable[Any]) -> list[Pause]:
    return [Pause(PauseKind.kept(kind), name) for kind, name in rows]


def _view(*row: Any) -> HostView:
    host, machine, pid, version, executor, slots, running, status, started_at, silent_s = row
    said = HostStatus.kept(status)
    heartbeat = Heartbeat(host, machine, pid, version, executor, slots, running, said)
    return HostView(heartbeat, started_at, max(0.0, silent_s))
