"""Claims: which sources wait for which actions, and taking the first of them under a lease."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import (
    Boolean,
    Connection,
    Select,
    Update,
    and_,
    bindparam,
    case,
    exists,
    literal_column,
    null,
    select,
    text,
)
from sqlalchemy import update as sql_update
from sqlalchemy.sql.elements import TextClause

from mediahost.model.job import LOSSES_TO_RUN_ALONE, ClaimedJob, JobRequest, Token
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.ports import Ready
from mediahost.store.dialect import among, listed, read_rows, unix_now, utc_now, write_rows
from mediahost.store.engine import Database, lasting
from mediahost.store.losses import losses_of
from mediahost.store.tables import LATER, READY, jobs

_KINDS = {kind.value: kind for kind in MediaKind}

# Jobs for later wait under an index of their own, and join the others when their time has come.
# The time is asked for first: Postgres has no use of an index for a time that goes on.
_DUE = and_(LATER, jobs.c.run_after <= select(unix_now()).scalar_subquery())
_PROMOTE = sql_update(jobs).where(_DUE).values(run_after=None)
_IS_LATER_OVER = select(exists().where(_DUE))

# One seek in idx_jobs_ready for each pair, however many jobs it has: a full pool with 100,000
# waiting costs what one with a single job costs.
# (SQLite would read all of a pair for `(source, action) > (?, ?)`; hence the two cases.)
_FIRST = "SELECT number FROM jobs WHERE {ready} ORDER BY source, action LIMIT 1"
_FIRST_OF_SOURCE = (
    "SELECT number FROM jobs WHERE {ready} AND source = :of_source ORDER BY action LIMIT 1"
)
_NEXT_OF_SOURCE = (
    "SELECT number FROM jobs WHERE {ready} AND source = pairs.source AND action > pairs.action"
    " ORDER BY action LIMIT 1"
)
_NEXT_SOURCE = (
    "SELECT number FROM jobs WHERE {ready} AND source > pairs.source"
    " ORDER BY source, action LIMIT 1"
)
_PAIRS_BETWEEN = """
WITH RECURSIVE pairs(source, action) AS (
    SELECT source, action FROM jobs WHERE number = ({first})
    UNION ALL
    SELECT jobs.source, jobs.action FROM pairs JOIN jobs ON jobs.number = ({following})
)
SELECT source, action FROM pairs WHERE NOT EXISTS (
    SELECT 1 FROM pauses WHERE kind = 'all'
    OR kind = 'source' AND name = pairs.source OR kind = 'action' AND name = pairs.action)
"""


def _pairs(first: str, following: str) -> TextClause:
    ready = READY.text
    return text(
        _PAIRS_BETWEEN.format(
            first=first.format(ready=ready), following=following.format(ready=ready)
        )
    )


_PAIRS = _pairs(_FIRST, f"COALESCE(({_NEXT_OF_SOURCE}), ({_NEXT_SOURCE}))")
_PAIRS_OF_SOURCE = _pairs(_FIRST_OF_SOURCE, _NEXT_OF_SOURCE)

_OF_PAIR = (
    READY,
    jobs.c.source == bindparam("of_source"),
    jobs.c.action == bindparam("of_action"),
)
# Of jobs that were chosen already: as a whole, so that none of the indexes answers it.
_STILL_READY = text(f"({READY.text}) IS TRUE")
_IN_ORDER = (jobs.c.priority.desc(), jobs.c.number)


def _first(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .where(*_OF_PAIR)
        .order_by(*_IN_ORDER)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
    )


def _claim(which: Any) -> Update:
    return (
        sql_update(jobs)
        .where(which, _STILL_READY)
        .values(
            status=literal_column("'processing'"),
            attempt=jobs.c.attempt + 1,
            host=bindparam("by_host"),
            lease_until=unix_now() + bindparam("lease_s"),
            started_at=case((bindparam("ahead", type_=Boolean), null()), else_=utc_now()),
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


_NOT_BEGUN = sql_update(jobs).where(among([jobs.c.id], "job_ids")).values(started_at=None)
# A program that knows some of our columns, or a newer version, has made such a row.
_FAIL_UNCLEAR = (
    sql_update(jobs)
    .where(jobs.c.id == bindparam("job_id"))
    .values(
        status=literal_column("'failed'"),
        error=literal_column(
            "'Its row names an action, but not all that an action needs: a known kind of media"
            " file, both hashes, config and inputs'"
        ),
        completed_at=utc_now(),
        host=null(),
        lease_until=null(),
    )
)
_HEADS = _first(jobs.c.priority, jobs.c.number)
# As a subquery Postgres may run it again for each row, and claim more than the limit.
_CHOSEN = _first(jobs.c.number).cte("chosen")
_CLAIM_FIRST = _claim(jobs.c.number.in_(select(_CHOSEN.c.number)))
_CLAIM_THESE = _claim(among([jobs.c.number], "numbers"))


class Claims:
    """How hosts get their jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @lasting
    def ready(self, source: str | None = None) -> list[Ready]:
        """Which sources wait for which actions; what is paused or for later is left out."""
        with self._database.read() as connection:
            if not connection.execute(_IS_LATER_OVER).scalar():
                return _ready(connection, source)
        with self._database.write() as connection:
            connection.execute(_PROMOTE)
            return _ready(connection, source)

    @lasting
    def claim(
        self,
        host: str,
        limit: int,
        lease_s: float,
        source: str | None = None,
        actions: Collection[str] | None = None,
        *,
        ahead: bool = False,
    ) -> list[ClaimedJob]:
        """Take up to `limit` pending jobs that are due, each for `lease_s` seconds."""
        parameters = {"by_host": host, "lease_s": lease_s, "ahead": ahead}
        # A claim that a power cut undid is made again by the next host; whoever had it is gone.
        # What it led to is written later, in the same log, and is synced with it.
        with self._database.write(synced=False) as connection:
            if source is not None and actions is not None:
                pairs = [Ready(source, action) for action in actions]
            else:
                connection.execute(_PROMOTE)
                pairs = [
                    pair
                    for pair in _ready(connection, source)
                    if actions is None or pair.action in actions
                ]
            if len(pairs) == 1:
                ((of_source, of_action),) = pairs
                only = {"of_source": of_source, "of_action": of_action, "limit": limit}
                rows = read_rows(connection, _CLAIM_FIRST, {**parameters, **only})
            else:
                numbers = listed(_first_of(connection, pairs, limit))
                rows = read_rows(connection, _CLAIM_THESE, {**parameters, "numbers": numbers})
            # RETURNING promises no order.
            claimed = _understood(connection, sorted(rows, key=_place_in_order))
            suspects = [job.token.job_id for job in claimed if job.is_suspect]
            losses = losses_of(connection, suspects) if suspects else {}
            # These wait until nothing else runs on their host.
            if alone := [each for each in losses if losses[each] >= LOSSES_TO_RUN_ALONE]:
                connection.execute(_NOT_BEGUN, {"job_ids": listed(alone)})
        return [replace(job, losses=losses.get(job.token.job_id, 0)) for job in claimed]


def _ready(connection: Connection, source: str | None) -> list[Ready]:
    if source is None:
        rows = read_rows(connection, _PAIRS, {})
    else:
        rows = read_rows(connection, _PAIRS_OF_SOURCE, {"of_source": source})
    return [Ready(*row) for row in rows]


def _first_of(connection: Connection, pairs: Collection[Ready], limit: int) -> list[int]:
    """The numbers of the first jobs of several pairs, in the order of all of them together."""
    heads = [
        read_rows(connection, _HEADS, {"of_source": source, "of_action": action, "limit": limit})
        for source, action in pairs
    ]
    # The first of them have the highest priorities, then the lowest numbers.
    in_order = merge(*heads, key=lambda row: (-row[0], row[1]))
    return [number for _priority, number in islice(in_order, limit)]


def _place_in_order(row: Sequence[Any]) -> tuple[int, int]:
    number, _id, _attempt, _failures, priority, *_ = row
    return -priority, number


def _understood(connection: Connection, rows: Iterable[Sequence[Any]]) -> list[ClaimedJob]:
    """The claimed jobs; one whose row says no request fails with that reason."""
    claimed, unclear = [], []
    for row in rows:
        try:
            claimed.append(_claimed(row))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            unclear.append({"job_id": row[1]})
    if unclear:
        write_rows(connection, _FAIL_UNCLEAR, unclear)
    return claimed


def _claimed(row: Sequence[Any]) -> ClaimedJob:
    (
        _number,
        job_id,
        attempt,
        failures,
        priority,
        action,
        action_version,
        parameters,
        media_url,
        job_type,
        file_hash,
        config_hash,
        pipeline,
        step,
        root_url,
        source,
    ) = row
    if file_hash is None or config_hash is None:
        raise ValueError(job_id)
    request = JobRequest(
        action=action,
        action_version=action_version,
        config=parameters["config"],
        media=MediaFile.known_by(media_url, _KINDS[job_type], file_hash),
        config_hash=config_hash,
        # JSON has no tuples.
        inputs={name: (key[0], key[1]) for name, key in parameters["inputs"].items()},
        pipeline=pipeline,
        step=step,
        root_url=root_url,
        source=source,
        priority=priority,
        job_id=job_id,
    )
    return ClaimedJob(request, Token(job_id, attempt), failures)
