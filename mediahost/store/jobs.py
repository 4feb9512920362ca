"""Jobs as people see them: submitted, listed, cancelled, tried again, deleted."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    Integer,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    delete,
    false,
    func,
    literal_column,
    select,
    text,
    true,
    update,
)

from mediahost.errors import IllegalTransition
from mediahost.hashing import CacheKey
from mediahost.model.job import (
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    TRANSITIONS,
    JobRequest,
    JobStatus,
    JobView,
    limited_priority,
)
from mediahost.store.ahead import SHOWN_STATUS, TAKE_BACK, count_by_status, in_status
from mediahost.store.dialect import among, listed, utc_now
from mediahost.store.engine import Database, lasting
from mediahost.store.requests import LOCK, active_jobs, insert_jobs
from mediahost.store.tables import PROCESSING, job_progress, jobs

_PENDING = text("status = 'pending'")
_THESE = among([jobs.c.id], "job_ids")

_VIEW = select(
    jobs.c.id,
    jobs.c.number,
    SHOWN_STATUS,
    jobs.c.action,
    jobs.c.media_url,
    jobs.c.file_hash,
    jobs.c.config_hash,
    jobs.c.parameters,
    jobs.c.attempt,
    jobs.c.failures,
    jobs.c.source,
    jobs.c.priority,
    jobs.c.created_at,
    jobs.c.updated_at,
    jobs.c.started_at,
    jobs.c.completed_at,
    jobs.c.processing_time_ms,
    jobs.c.error,
    jobs.c.result,
    jobs.c.host,
    jobs.c.cancel_requested,
    jobs.c.cached,
    job_progress.c.fraction,
    func.coalesce(job_progress.c.message, ""),
).outerjoin_from(
    jobs,
    job_progress,
    and_(job_progress.c.job_id == jobs.c.id, job_progress.c.attempt == jobs.c.attempt),
)
_STATES = (
    select(jobs.c.id, jobs.c.number, jobs.c.status, jobs.c.file_hash, jobs.c.config_hash)
    .where(_THESE)
    .with_for_update()
)
_ADOPT = update(jobs).where(_THESE, _PENDING).values(source=bindparam("to_source"))
_CANCEL = (
    update(jobs)
    .where(_THESE, _PENDING)
    .values(status=literal_column("'cancelled'"), completed_at=utc_now(), run_after=None)
)
_TAKE_BACK = TAKE_BACK.where(_THESE)
_CHANGE_PRIORITY = update(jobs).where(_THESE, _PENDING).returning(jobs.c.id, jobs.c.priority)
_SET_PRIORITY = _CHANGE_PRIORITY.values(priority=bindparam("to_priority"))
_SHIFTED = jobs.c.priority + bindparam("by", type_=Integer)
_SHIFT_PRIORITY = _CHANGE_PRIORITY.values(
    priority=case(
        (_SHIFTED > HIGHEST_PRIORITY, HIGHEST_PRIORITY),
        (_SHIFTED < LOWEST_PRIORITY, LOWEST_PRIORITY),
        else_=_SHIFTED,
    )
)
_ASK_TO_CANCEL = update(jobs).where(_THESE, PROCESSING).values(cancel_requested=true())
_RETRY = (
    update(jobs)
    .where(_THESE)
    .values(
        status=literal_column("'pending'"),
        failures=0,
        error=None,
        run_after=None,
        started_at=None,
        completed_at=None,
        processing_time_ms=None,
        cancel_requested=false(),
    )
)
_DELETE = delete(jobs).where(_THESE)


class Jobs:
    """What people do with jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @lasting
    def submit(self, requests: Sequence[JobRequest]) -> list[UUID]:
        """Keep jobs, pending; a key that an active job has already gets no second one."""
        if not requests:
            return []
        with self._database.write() as connection:
            return insert_jobs(connection, requests)

    @lasting
    def adopt(self, job_ids: Collection[UUID], source: str) -> None:
        """Make those of these jobs that are pending belong to `source`."""
        with self._database.write() as connection:
            connection.execute(_ADOPT, {"job_ids": listed(job_ids), "to_source": source})

    @lasting
    def request_cancel(self, job_ids: Collection[UUID]) -> dict[UUID, JobStatus]:
        """Cancel jobs: pending ones at once, processing ones by asking their host."""
        these = {"job_ids": listed(job_ids)}
        with self._database.write() as connection:
            connection.execute(_TAKE_BACK, these)
            connection.execute(_CANCEL, these)
            connection.execute(_ASK_TO_CANCEL, these)
            rows = connection.execute(_STATES, these)
            return {row.id: JobStatus.kept(row.status) for row in rows}

    @lasting
    def change_priority(
        self, job_ids: Collection[UUID], priority: int, *, relative: bool = False
    ) -> dict[UUID, int]:
        """Have pending jobs go earlier or later; returns the priority of each, after the call."""
        these = {"job_ids": listed(job_ids)}
        with self._database.write() as connection:
            connection.execute(_TAKE_BACK, these)
            if relative:
                rows = connection.execute(_SHIFT_PRIORITY, {**these, "by": priority})
            else:
                to = {"to_priority": limited_priority(priority)}
                rows = connection.execute(_SET_PRIORITY, {**these, **to})
            return {row.id: row.priority for row in rows}

    @lasting
    def retry(self, job_ids: Collection[UUID]) -> list[UUID]:
        """Make failed and cancelled jobs pending again, their failures forgotten.

        Raises:
            IllegalTransition: One of them is neither failed nor cancelled.
        """
        with self._database.write() as connection:
            connection.execute(LOCK)
            states = _states(connection, job_ids)
            for row in states:
                may_become = TRANSITIONS.get(JobStatus.kept(row["status"]), ())
                if JobStatus.PENDING not in may_become:
                    raise IllegalTransition(
                        f"Job {row['number']} is {row['status']}, so it can't be tried again",
                        "Only failed and cancelled jobs can.",
                    )
            again = _one_a_key(connection, states)
            if again:
                connection.execute(_RETRY, {"job_ids": listed(again)})
        return again

    @lasting
    def delete_jobs(self, job_ids: Collection[UUID]) -> int:
        """Delete jobs that are not processing; returns how many there were.

        Raises:
            IllegalTransition: One of them is processing, or has a status that is unknown here.
        """
        with self._database.write() as connection:
            connection.execute(_TAKE_BACK, {"job_ids": listed(job_ids)})
            states = _states(connection, job_ids)
            for row in states:
                if not JobStatus.kept(row["status"]).is_known:
                    raise IllegalTransition(
                        f"Job {row['number']} is {row['status']}, which is unknown here, "
                        "so it can't be deleted",
                        "A newer mediahost may know that status.",
                    )
                if row["status"] == JobStatus.PROCESSING:
                    raise IllegalTransition(
                        f"Job {row['number']} is processing, so it can't be deleted",
                        "Cancel it first.",
                    )
            connection.execute(_DELETE, {"job_ids": listed(row["id"] for row in states)})
        return len(states)

    @lasting
    def jobs(
        self,
        *,
        statuses: Collection[JobStatus] = (),
        source: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[JobView]:
        """Jobs, the newest first. No status given: any."""
        wanted = _VIEW.order_by(jobs.c.number.desc()).limit(limit).offset(offset)
        if statuses:
            wanted = wanted.where(in_status(statuses))
        if source is not None:
            wanted = wanted.where(jobs.c.source == source)
        return self._views(wanted)

    @lasting
    def get_jobs(self, job_ids: Collection[UUID]) -> dict[UUID, JobView]:
        """Those of these jobs that exist."""
        views = self._views(_VIEW.where(_THESE), {"job_ids": listed(job_ids)})
        return {view.job_id: view for view in views}

    @lasting
    def job_numbered(self, number: int) -> JobView | None:
        """The job with this number, or None."""
        return next(iter(self._views(_VIEW.where(jobs.c.number == number))), None)

    @lasting
    def count_jobs(self, source: str | None = None) -> dict[JobStatus, int]:
        """How many jobs there are of each status, none included."""
        with self._database.read() as connection:
            return count_by_status(connection, source)

    def _views(
        self, wanted: Select[Any], parameters: Mapping[str, Any] | None = None
    ) -> list[JobView]:
        with self._database.read() as connection:
            return [_view(row) for row in connection.execute(wanted, parameters)]


def _states(connection: Connection, job_ids: Collection[UUID]) -> list[RowMapping]:
    """Id, number, status and key of each of these jobs that exists, in the order given."""
    found = connection.execute(_STATES, {"job_ids": listed(job_ids)}).mappings()
    rows = {row["id"]: row for row in found}
    return [rows[job_id] for job_id in dict.fromkeys(job_ids) if job_id in rows]


def _one_a_key(connection: Connection, states: Sequence[RowMapping]) -> list[UUID]:
    """The first of these jobs for each key that no active job has."""
    # Another program's jobs have no key.
    keyed = {row["id"] for row in states if row["file_hash"] and row["config_hash"]}
    keys = {row["id"]: CacheKey(row["file_hash"], row["config_hash"]) for row in states}
    taken = set(active_jobs(connection, [keys[job_id] for job_id in keyed]))
    free = []
    for job_id, key in keys.items():
        if job_id not in keyed:
            free.append(job_id)
        elif key not in taken:
            taken.add(key)
            free.append(job_id)
    return free


def _view(row: Sequence[Any]) -> JobView:
    job_id, number, status, action, url, file_hash, config_hash, parameters, *rest = row
    # Another program may keep anything there, or nothing.
    ours = parameters if isinstance(parameters, dict) else {}
    said = JobStatus.kept(status)
    return JobView(job_id, number, said, action, url, file_hash, config_hash, ours, *rest)
