"""Attempts: claimed under a lease, fenced by their token, committed in one transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Update,
    and_,
    bindparam,
    case,
    delete,
    false,
    literal_column,
    null,
    or_,
    select,
    update,
)

from mediahost.model.job import ClaimedJob, JobRequest, Outcome, Token
from mediahost.model.media import MediaFile, MediaKind
from mediahost.ports import Completion, Setback
from mediahost.store.caches import save_results
from mediahost.store.dialect import among, listed, unix_now, upsert, utc_now, write_rows
from mediahost.store.documents import document_of
from mediahost.store.engine import Database
from mediahost.store.filling import fill_children
from mediahost.store.requests import insert_jobs
from mediahost.store.tables import LATER, PROCESSING, READY, TO_CANCEL, job_progress, jobs

_PENDING: ColumnElement[str] = literal_column("'pending'")
_CANCELLED: ColumnElement[str] = literal_column("'cancelled'")
_NO_FAILURES = frozenset({Outcome.LOST, Outcome.CANCELLED})

# Jobs for later wait under an index of their own, and join the others when their time has come.
_PROMOTE = update(jobs).where(LATER, jobs.c.run_after <= unix_now()).values(run_after=None)


def _claim_of(*conditions: ColumnElement[bool]) -> Update:
    chosen = (
        select(jobs.c.number)
        .where(READY, *conditions)
        .order_by(jobs.c.priority.desc(), jobs.c.number)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
    )
    return (
        update(jobs)
        .where(jobs.c.number.in_(chosen), READY)
        .values(
            status=literal_column("'processing'"),
            attempt=jobs.c.attempt + 1,
            host=bindparam("by_host"),
            lease_until=unix_now() + bindparam("lease_s"),
            started_at=utc_now(),
        )
        .returning(
            jobs.c.number,
            jobs.c.id,
            jobs.c.attempt,
            jobs.c.failures,
            jobs.c.priority,
            jobs.c.action,
            jobs.c.action_version,
            jobs.c.parameters,
            jobs.c.media_url,
            jobs.c.job_type,
            jobs.c.file_hash,
            jobs.c.config_hash,
            jobs.c.pipeline,
            jobs.c.step,
            jobs.c.root_url,
            jobs.c.source,
        )
    )


_CLAIM = _claim_of()
_CLAIM_OF_SOURCE = _claim_of(jobs.c.source == bindparam("of_source"))

# The fence: what only the host that claimed this very attempt may still change.
_HELD = and_(
    among([jobs.c.id, jobs.c.attempt], "tokens"),
    jobs.c.host == bindparam("by_host"),
    PROCESSING,
)
_WHOSE = select(jobs.c.id, jobs.c.attempt, jobs.c.cancel_requested).where(_HELD).with_for_update()
_RENEW = (
    update(jobs)
    .where(_HELD)
    .values(lease_until=unix_now() + bindparam("lease_s"))
    .returning(jobs.c.id, jobs.c.attempt)
)
_TO_CANCEL = select(jobs.c.id, jobs.c.attempt).where(TO_CANCEL, jobs.c.host == bindparam("by_host"))
_HOSTS = select(jobs.c.host).where(PROCESSING).distinct()

# Held by nobody; who asked to have the job cancelled has got what they wanted.
_LET_GO = {
    "status": case((jobs.c.cancel_requested, _CANCELLED), else_=_PENDING),
    "completed_at": case((jobs.c.cancel_requested, utc_now()), else_=null()),
    "cancel_requested": false(),
    "host": None,
    "lease_until": None,
    "started_at": None,
}
_RELEASE = update(jobs).where(_HELD).values(**_LET_GO).returning(jobs.c.id)
_REAP = (
    update(jobs)
    .where(PROCESSING, or_(jobs.c.lease_until <= unix_now(), among([jobs.c.host], "gone")))
    .values(**_LET_GO)
    .returning(jobs.c.id)
)

_ENDED: dict[str, Any] = {
    "status": bindparam("to_status"),
    "error": bindparam("to_error"),
    "processing_time_ms": bindparam("to_ms"),
    "cancel_requested": false(),
    "host": null(),
    "lease_until": null(),
}
_END = update(jobs).where(jobs.c.id == bindparam("job_id"))
_COMPLETE = _END.values(
    status=literal_column("'completed'"),
    result=bindparam("to_result", type_=jobs.c.result.type),
    error=null(),
    processing_time_ms=bindparam("to_ms"),
    completed_at=utc_now(),
    cancel_requested=false(),
    host=null(),
    lease_until=null(),
)
_GIVE_UP = _END.values(
    **_ENDED, failures=jobs.c.failures + bindparam("failed"), completed_at=utc_now()
)
_REPEAT = _END.values(
    **_ENDED,
    failures=jobs.c.failures + bindparam("failed"),
    run_after=unix_now() + bindparam("in_s"),
    started_at=null(),
)
_FORGET_PROGRESS = delete(job_progress).where(among([job_progress.c.job_id], "job_ids"))


class Attempts:
    """What hosts do with jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self, host: str, limit: int, lease_s: float, source: str | None = None
    ) -> list[ClaimedJob]:
        """Take up to `limit` pending jobs that are due, each for `lease_s` seconds."""
        parameters = {"by_host": host, "limit": limit, "lease_s": lease_s}
        with self._database.write() as connection:
            connection.execute(_PROMOTE)
            if source is None:
                rows = connection.execute(_CLAIM, parameters).all()
            else:
                rows = connection.execute(
                    _CLAIM_OF_SOURCE, {**parameters, "of_source": source}
                ).all()
        # RETURNING promises no order.
        return [_claimed(row) for row in sorted(rows, key=lambda row: (-row.priority, row.number))]

    def renew(self, host: str, tokens: Collection[Token], lease_s: float) -> set[Token]:
        """Hold these attempts for `lease_s` seconds from now; returns those still held."""
        if not tokens:
            return set()
        with self._database.write() as connection:
            rows = connection.execute(
                _RENEW, {"by_host": host, "tokens": listed(tokens), "lease_s": lease_s}
            )
            return {Token(job_id, attempt) for job_id, attempt in rows}

    def commit(
        self, host: str, completions: Sequence[Completion], setbacks: Sequence[Setback] = ()
    ) -> set[Token]:
        """Write how attempts ended, in one transaction; returns those that were still held."""
        tokens = [each.job.token for each in completions]
        tokens += [each.job.token for each in setbacks]
        if not tokens:
            return set()
        with self._database.write() as connection:
            held = _held(connection, host, tokens)
            written = set(held)
            # Popped, so that an attempt reported twice is written once.
            completed = [c for c in completions if held.pop(c.job.token, None) is not None]
            set_back = [s for s in setbacks if s.job.token in held]
            _complete(connection, completed)
            _set_back(connection, {s.job.token: s for s in set_back}, held)
            _forget_progress(connection, [token.job_id for token in written])
            insert_jobs(connection, [job for each in completed for job in each.follow_ups])
        return written

    def release(self, host: str, tokens: Collection[Token]) -> None:
        """Give these attempts back untried; those that were to be cancelled are cancelled.

        The attempt's number is not given back: its token stays void.
        """
        if not tokens:
            return
        with self._database.write() as connection:
            rows = connection.execute(_RELEASE, {"by_host": host, "tokens": listed(tokens)})
            _forget_progress(connection, list(rows.scalars()))

    def reap(self, is_gone: Callable[[str], bool]) -> list[UUID]:
        """Take jobs back whose lease is over, or whose host `is_gone`.

        They are pending again, or cancelled if somebody had asked for that.

        Returns:
            All of them.
        """
        with self._database.read() as connection:
            hosts = connection.execute(_HOSTS).scalars().all()
        gone = listed(host for host in hosts if is_gone(host))
        with self._database.write() as connection:
            reaped = list(connection.execute(_REAP, {"gone": gone}).scalars())
            _forget_progress(connection, reaped)
        return reaped

    def report_progress(self, host: str, progress: Mapping[Token, tuple[float, str]]) -> None:
        """Note how far attempts are: fraction and message."""
        if not progress:
            return
        with self._database.write() as connection:
            rows = [
                {
                    "job_id": token.job_id,
                    "attempt": token.attempt,
                    "fraction": progress[token][0],
                    "message": progress[token][1],
                }
                for token in _held(connection, host, progress)
            ]
            if rows:
                upsert(connection, job_progress, rows, key=["job_id"])

    def cancel_requests(self, host: str) -> set[Token]:
        """This host's attempts that somebody asked to cancel."""
        with self._database.read() as connection:
            rows = connection.execute(_TO_CANCEL, {"by_host": host})
            return {Token(job_id, attempt) for job_id, attempt in rows}


def _held(connection: Connection, host: str, tokens: Collection[Token]) -> dict[Token, bool]:
    """Those of these attempts that are the host's, and whether they are to be cancelled."""
    rows = connection.execute(_WHOSE, {"by_host": host, "tokens": listed(tokens)})
    return {Token(job_id, attempt): bool(to_cancel) for job_id, attempt, to_cancel in rows}


def _complete(connection: Connection, completions: Sequence[Completion]) -> None:
    if not completions:
        return
    documents = [document_of(completion.result) for completion in completions]
    write_rows(
        connection,
        _COMPLETE,
        [
            {
                "job_id": completion.job.token.job_id,
                "to_result": document,
                "to_ms": completion.elapsed_ms,
            }
            for completion, document in zip(completions, documents, strict=True)
        ],
    )
    save_results(connection, completions, documents)
    fill_children(connection, completions, documents)


def _set_back(
    connection: Connection, setbacks: Mapping[Token, Setback], to_cancel: Mapping[Token, bool]
) -> None:
    over, repeated = [], []
    for token, setback in setbacks.items():
        row = _setback_row(setback)
        if setback.retry_in_s is not None and not to_cancel[token]:
            repeated.append({**row, "to_status": "pending", "in_s": setback.retry_in_s})
        elif setback.retry_in_s is not None or setback.outcome is Outcome.CANCELLED:
            over.append({**row, "to_status": "cancelled"})
        else:
            over.append({**row, "to_status": "failed"})
    if over:
        write_rows(connection, _GIVE_UP, over)
    if repeated:
        write_rows(connection, _REPEAT, repeated)


def _setback_row(setback: Setback) -> dict[str, Any]:
    failure = setback.failure
    return {
        "job_id": setback.job.token.job_id,
        "to_error": f"{failure.message}\n{failure.hint}" if failure.hint else failure.message,
        "to_ms": setback.elapsed_ms,
        "failed": 0 if setback.outcome in _NO_FAILURES else 1,
    }


def _forget_progress(connection: Connection, job_ids: Collection[UUID]) -> None:
    if job_ids:
        connection.execute(_FORGET_PROGRESS, {"job_ids": listed(job_ids)})


def _claimed(row: Row[Any]) -> ClaimedJob:
    media = MediaFile.known_by(row.media_url, MediaKind(row.job_type), row.file_hash)
    request = JobRequest(
        action=row.action,
        action_version=row.action_version,
        config=row.parameters["config"],
        media=media,
        config_hash=row.config_hash,
        # JSON has no tuples.
        inputs={step: (key[0], key[1]) for step, key in row.parameters["inputs"].items()},
        pipeline=row.pipeline,
        step=row.step,
        root_url=row.root_url,
        source=row.source,
        priority=row.priority,
        job_id=row.id,
    )
    return ClaimedJob(request, Token(row.id, row.attempt), row.failures)
