"""Requests that become jobs: one insert a batch, and never two active jobs for one key."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    bindparam,
    case,
    event,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapper

from mediahost.hashing import DEFAULT_ALGORITHM, CacheKey
from mediahost.model.job import JobRequest
from mediahost.store.dialect import among, listed, read_rows, write_rows
from mediahost.store.tables import ACTIVE, Job, jobs, meta

_ACTIVE_KEYS = select(jobs.c.file_hash, jobs.c.config_hash, jobs.c.id).where(
    ACTIVE, among([jobs.c.file_hash, jobs.c.config_hash], "keys")
)
# Who holds this row decides alone which jobs become active. SQLite has one writer anyway.
LOCK = select(meta.c.last_job_number).with_for_update()
_HIGHEST_NUMBER = select(func.max(jobs.c.number))
_HIGHEST = func.coalesce(_HIGHEST_NUMBER.scalar_subquery(), 0)
_TAKE_NUMBER = (
    update(meta)
    .values(
        last_job_number=1
        + case((meta.c.last_job_number < _HIGHEST, _HIGHEST), else_=meta.c.last_job_number)
    )
    .returning(meta.c.last_job_number)
)
_BE_A_STORE = text("INSERT INTO meta (id, algorithm) VALUES (1, :algorithm) ON CONFLICT DO NOTHING")
_SET_NUMBER = update(meta).values(last_job_number=bindparam("to_number"))
_INSERT = insert(jobs).values(status=literal_column("'pending'"))


def active_jobs(connection: Connection, keys: Sequence[CacheKey]) -> dict[CacheKey, UUID]:
    """The pending or processing job of each of these keys that has one."""
    rows = read_rows(connection, _ACTIVE_KEYS, {"keys": listed(keys)})
    return {CacheKey(file_hash, config_hash): job_id for file_hash, config_hash, job_id in rows}


def insert_jobs(connection: Connection, requests: Sequence[JobRequest]) -> list[UUID]:
    """Keep jobs, pending; returns for each request the job that will answer it."""
    if not requests:
        return []
    ((number,),) = read_rows(connection, LOCK, {})
    keys = [key_of(request) for request in requests]
    answering = active_jobs(connection, keys)
    # Rows that another program added don't move the counter.
    ((highest,),) = read_rows(connection, _HIGHEST_NUMBER, {})
    number = max(number, highest or 0)
    rows = []
    for key, request in zip(keys, requests, strict=True):
        if key not in answering:
            number += 1
            answering[key] = request.job_id
            rows.append(_row(request, number))
    if rows:
        write_rows(connection, _INSERT, rows)
        write_rows(connection, _SET_NUMBER, [{"to_number": number}])
    return [answering[key] for key in keys]


def take_number(connection: Connection) -> int:
    """The next job's number, for one that comes by another door than `insert_jobs`."""
    number: int | None = connection.execute(_TAKE_NUMBER).scalar_one_or_none()
    if number is None:
        # Upgraded, and never opened: see `mediahost.store.numbering`.
        connection.execute(_BE_A_STORE, {"algorithm": DEFAULT_ALGORITHM})
        return take_number(connection)
    return number


def key_of(request: JobRequest) -> CacheKey:
    """What the request's result is kept under.

    Raises:
        ValueError: Nobody has hashed the media file.
    """
    if request.media.file_hash is None:
        raise ValueError(f"{request.media.path} has no hash; hash it before submitting")
    return CacheKey(request.media.file_hash, request.config_hash)


def parameters_of(request: JobRequest) -> dict[str, Any]:
    """What the column `parameters` holds."""
    return {"config": dict(request.config), "inputs": dict(request.inputs)}


def _row(request: JobRequest, number: int) -> Mapping[str, Any]:
    return {
        "id": request.job_id,
        "number": number,
        "job_type": request.media.kind.value,
        "media_url": request.media.source,
        "parameters": parameters_of(request),
        "action": request.action,
        "action_version": request.action_version,
        "file_hash": request.media.file_hash,
        "config_hash": request.config_hash,
        "pipeline": request.pipeline,
        "step": request.step,
        "root_url": request.root_url,
        "source": request.source,
        "priority": request.priority,
    }


@event.listens_for(Job, "before_insert")
def _number(_mapper: Mapper[Job], connection: Connection, job: Job) -> None:
    if job.number is None:
        job.number = take_number(connection)
