"""Attempts: held by a lease, fenced by their token, committed in one transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    update,
)

from mediahost.model.job import (
    MOST_LOSSES,
    TOO_MANY_LOSSES,
    AttemptView,
    Failure,
    Outcome,
    Token,
)
from mediahost.ports import Completion, Setback
from mediahost.store.caches import save_results
from mediahost.store.changelog import trim
from mediahost.store.dialect import (
    among,
    listed,
    plain_text,
    read_rows,
    unix_now,
    upsert,
    utc_now,
    write_rows,
)
from mediahost.store.documents import spelled_document_of
from mediahost.store.engine import Database, lasting
from mediahost.store.filling import fill_children
from mediahost.store.losses import losses_of
from mediahost.store.requests import insert_jobs
from mediahost.store.tables import (
    PROCESSING,
    STILL_PROCESSING,
    TO_CANCEL,
    job_attempts,
    job_progress,
    jobs,
)

_PENDING: ColumnElement[str] = literal_column("'pending'")
_CANCELLED: ColumnElement[str] = literal_column("'cancelled'")
_NO_FAILURES = frozenset({Outcome.LOST, Outcome.CANCELLED})

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
# Another program's jobs have none.
_HOSTS = select(jobs.c.host).where(PROCESSING, jobs.c.host.is_not(None)).distinct()

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
_RELEASE_FOR_LATER = (
    update(jobs)
    .where(_HELD)
    .values(**_LET_GO, run_after=unix_now() + bindparam("in_s"))
    .returning(jobs.c.id)
)
_BEGIN = (
    update(jobs)
    .where(_HELD)
    .values(started_at=func.coalesce(jobs.c.started_at, utc_now()))
    .returning(jobs.c.id, jobs.c.attempt)
)
_LOST = (
    select(
        jobs.c.id,
        jobs.c.attempt,
        jobs.c.host,
        jobs.c.started_at.is_not(None).label("begun"),
        jobs.c.cancel_requested,
    )
    .where(PROCESSING, or_(jobs.c.lease_until <= unix_now(), among([jobs.c.host], "gone")))
    .with_for_update(skip_locked=True)
)
_REAP = update(jobs).where(among([jobs.c.id], "job_ids")).values(**_LET_GO)

_ENDED: dict[str, Any] = {
    "status": bindparam("to_status"),
    "error": bindparam("to_error"),
    "processing_time_ms": bindparam("to_ms"),
    "cancel_requested": false(),
    "host": null(),
    "lease_until": null(),
}
_END = update(jobs).where(jobs.c.id == bindparam("job_id"))
_COMPLETE = _END.where(
    jobs.c.attempt == bindparam("of_attempt"),
    jobs.c.host == bindparam("by_host"),
    STILL_PROCESSING,
).values(
    status=literal_column("'completed'"),
    result=bindparam("to_result", type_=jobs.c.result.type),
    started_at=func.coalesce(jobs.c.started_at, utc_now()),
    error=bindparam("to_error"),
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
_NOTE = insert(job_attempts)
_NOTED = (
    select(
        job_attempts.c.attempt,
        job_attempts.c.outcome,
        job_attempts.c.host,
        job_attempts.c.error,
        job_attempts.c.traceback,
        job_attempts.c.ended_at,
        job_attempts.c.elapsed_ms,
        job_attempts.c.retry_in_s,
    )
    .where(job_attempts.c.job_id == bindparam("of_job"))
    .order_by(job_attempts.c.attempt)
)
_ANY_PROGRESS = select(exists().select_from(job_progress))
_FORGET_PROGRESS = delete(job_progress).where(among([job_progress.c.job_id], "job_ids"))


class _NotAllHeld(Exception):
    """Some of the attempts are somebody else's by now; nothing of the batch is written."""


class Attempts:
    """What hosts do with jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @lasting
    def renew(self, host: str, tokens: Collection[Token], lease_s: float) -> set[Token]:
        """Hold these attempts for `lease_s` seconds from now; returns those still held."""
        if not tokens:
            return set()
        with self._database.write() as connection:
            rows = read_rows(
                connection,
                _RENEW,
                {"by_host": host, "tokens": listed(tokens), "lease_s": lease_s},
            )
        return {Token(job_id, attempt) for job_id, attempt in rows}

    @lasting
    def commit(
        self, host: str, completions: Sequence[Completion], setbacks: Sequence[Setback] = ()
    ) -> set[Token]:
        """Write how attempts ended, in one transaction; returns those that were still held."""
        tokens = [each.job.token for each in completions]
        tokens += [each.job.token for each in setbacks]
        if not tokens:
            return set()
        if not setbacks:
            # Nearly always all are held: then the fence in the statement says so, and nobody
            # needs to ask first.
            with suppress(_NotAllHeld), self._database.write() as connection:
                _write_completed(connection, host, completions)
                return set(tokens)
        with self._database.write() as connection:
            held = _held(connection, host, tokens)
            written = set(held)
            # Popped, so that an attempt reported twice is written once.
            completed = [c for c in completions if held.pop(c.job.token, None) is not None]
            set_back = [s for s in setbacks if s.job.token in held]
            _set_back(connection, host, {s.job.token: s for s in set_back}, held)
            _forget_progress(connection, [token.job_id for token in held])
            _write_completed(connection, host, completed)
        return written

    @lasting
    def begin(self, host: str, tokens: Collection[Token]) -> set[Token]:
        """Note that attempts run which were claimed ahead; returns those still held."""
        if not tokens:
            return set()
        with self._database.write() as connection:
            rows = read_rows(connection, _BEGIN, {"by_host": host, "tokens": listed(tokens)})
        return {Token(job_id, attempt) for job_id, attempt in rows}

    @lasting
    def release(self, host: str, tokens: Collection[Token], after_s: float = 0.0) -> None:
        """Give these attempts back untried; those that were to be cancelled are cancelled.

        The attempt's number is not given back: its token stays void.
        """
        if not tokens:
            return
        these = {"by_host": host, "tokens": listed(tokens)}
        with self._database.write() as connection:
            if after_s > 0:
                rows = connection.execute(_RELEASE_FOR_LATER, {**these, "in_s": after_s})
            else:
                rows = connection.execute(_RELEASE, these)
            _forget_progress(connection, list(rows.scalars()))

    @lasting
    def reap(self, is_gone: Callable[[str], bool]) -> list[UUID]:
        """Take jobs back whose lease is over, or whose host `is_gone`.

        They are pending again, or cancelled if somebody had asked for that, or failed if they
        were lost too often while they ran.

        Returns:
            All of them.
        """
        with self._database.read() as connection:
            hosts = connection.execute(_HOSTS).scalars().all()
        gone = listed(host for host in hosts if is_gone(host))
        with self._database.write() as connection:
            lost = connection.execute(_LOST, {"gone": gone}).all()
            reaped = [row.id for row in lost]
            if reaped:
                over = _note_losses(connection, [row for row in lost if row.begun])
                connection.execute(_REAP, {"job_ids": listed(set(reaped) - over)})
                _forget_progress(connection, reaped)
        trim(self._database)
        return reaped

    @lasting
    def attempts_of(self, job_id: UUID) -> list[AttemptView]:
        """The attempts at a job that gave no result, the first one first."""
        with self._database.read() as connection:
            rows = connection.execute(_NOTED, {"of_job": job_id}).all()
        return [
            AttemptView(number, Outcome.kept(outcome), *rest) for number, outcome, *rest in rows
        ]

    @lasting
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
                    "message": plain_text(progress[token][1]),
                }
                for token in _held(connection, host, progress)
            ]
            if rows:
                upsert(connection, job_progress, rows, key=["job_id"])

    @lasting
    def cancel_requests(self, host: str) -> set[Token]:
        """This host's attempts that somebody asked to cancel."""
        with self._database.read() as connection:
            rows = connection.execute(_TO_CANCEL, {"by_host": host})
            return {Token(job_id, attempt) for job_id, attempt in rows}


def _held(connection: Connection, host: str, tokens: Collection[Token]) -> dict[Token, bool]:
    """Those of these attempts that are the host's, and whether they are to be cancelled."""
    rows = read_rows(connection, _WHOSE, {"by_host": host, "tokens": listed(tokens)})
    return {Token(job_id, attempt): to_cancel for job_id, attempt, to_cancel in rows}


def _write_completed(connection: Connection, host: str, completions: Sequence[Completion]) -> None:
    """Write what these attempts gave, and the jobs that follow.

    Raises:
        _NotAllHeld: One of them is not held any more, or is there twice.
    """
    if not completions:
        return
    spelled = [spelled_document_of(completion.result) for completion in completions]
    completed = write_rows(
        connection,
        _COMPLETE,
        [
            {
                "job_id": completion.job.token.job_id,
                "of_attempt": completion.job.token.attempt,
                "by_host": host,
                "to_result": told,
                "to_error": plain_text(completion.result.completeness.describe()) or None,
                "to_ms": completion.elapsed_ms,
            }
            for completion, (told, _) in zip(completions, spelled, strict=True)
        ],
    )
    if completed != len(completions):
        raise _NotAllHeld
    save_results(connection, completions, [members for _, members in spelled])
    fill_children(connection, completions, [told.value for told, _ in spelled])
    _forget_progress(connection, [completion.job.token.job_id for completion in completions])
    insert_jobs(connection, [job for each in completions for job in each.follow_ups])


def _set_back(
    connection: Connection,
    host: str,
    setbacks: Mapping[Token, Setback],
    to_cancel: Mapping[Token, bool],
) -> None:
    over, repeated, noted = [], [], []
    for token, setback in setbacks.items():
        row = _setback_row(setback)
        repeats = setback.retry_in_s is not None and not to_cancel[token]
        noted.append(_noted_row(host, setback, repeats=repeats))
        if repeats:
            repeated.append({**row, "to_status": "pending", "in_s": setback.retry_in_s})
        elif setback.retry_in_s is not None or setback.outcome is Outcome.CANCELLED:
            over.append({**row, "to_status": "cancelled"})
        else:
            over.append({**row, "to_status": "failed"})
    if over:
        write_rows(connection, _GIVE_UP, over)
    if repeated:
        write_rows(connection, _REPEAT, repeated)
    if noted:
        write_rows(connection, _NOTE, noted)


def _setback_row(setback: Setback) -> dict[str, Any]:
    return {
        "job_id": setback.job.token.job_id,
        "to_error": _in_words(setback.failure),
        "to_ms": setback.elapsed_ms,
        "failed": 0 if setback.outcome in _NO_FAILURES else 1,
    }


def _noted_row(host: str, setback: Setback, *, repeats: bool) -> dict[str, Any]:
    return {
        **_note(setback.job.token, setback.outcome, host),
        "error": _in_words(setback.failure),
        "traceback": plain_text(setback.failure.traceback),
        "elapsed_ms": setback.elapsed_ms,
        "retry_in_s": setback.retry_in_s if repeats else None,
    }


def _note_losses(connection: Connection, lost: Sequence[Any]) -> set[UUID]:
    """Note attempts that ran and were lost; returns the jobs that have failed by that."""
    if not lost:
        return set()
    before = losses_of(connection, [row.id for row in lost])
    over = {
        row.id
        for row in lost
        if before.get(row.id, 0) + 1 >= MOST_LOSSES and not row.cancel_requested
    }
    write_rows(connection, _NOTE, [_lost_row(row, is_last=row.id in over) for row in lost])
    if over:
        ended = {"to_status": "failed", "to_error": TOO_MANY_LOSSES, "to_ms": None, "failed": 0}
        write_rows(connection, _GIVE_UP, [{**ended, "job_id": job_id} for job_id in over])
    return over


def _lost_row(row: Any, *, is_last: bool) -> dict[str, Any]:
    return {
        **_note(Token(row.id, row.attempt), Outcome.LOST, row.host or ""),
        "error": "Its host went away or fell silent before it was done",
        "traceback": "",
        "elapsed_ms": 0,
        "retry_in_s": None if is_last else 0.0,
    }


def _note(token: Token, outcome: Outcome, host: str) -> dict[str, Any]:
    job_id, attempt = token
    return {"job_id": job_id, "attempt": attempt, "outcome": outcome.value, "host": host}


def _in_words(failure: Failure) -> str:
    words = f"{failure.message}\n{failure.hint}" if failure.hint else failure.message
    return plain_text(words)


def _forget_progress(connection: Connection, job_ids: Collection[UUID]) -> None:
    # Most are too short to have any.
    if job_ids and read_rows(connection, _ANY_PROGRESS, {})[0][0]:
        connection.execute(_FORGET_PROGRESS, {"job_ids": listed(job_ids)})
