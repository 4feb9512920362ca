"""Ahead: jobs that a host has claimed and that nothing runs yet. For people they are pending."""

from collections.abc import Collection

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    func,
    literal_column,
    not_,
    or_,
    select,
    update,
)

from mediahost.model.job import JobStatus
from mediahost.store.tables import jobs

# With a host: what another program began by the documented columns alone has none.
AHEAD = and_(
    jobs.c.status == literal_column("'processing'"),
    jobs.c.started_at.is_(None),
    jobs.c.host.is_not(None),
)

SHOWN_STATUS: ColumnElement[str] = case(
    (AHEAD, literal_column("'pending'")), else_=jobs.c.status
).label("status")

# Their host hears of it when it wants to begin or to commit them: its token is void by then.
TAKE_BACK = (
    update(jobs)
    .where(AHEAD)
    .values(status=literal_column("'pending'"), host=None, lease_until=None)
)

_COUNT = select(jobs.c.status, func.count()).group_by(jobs.c.status)
_COUNT_AHEAD = select(func.count()).select_from(jobs).where(AHEAD)


def in_status(statuses: Collection[str]) -> ColumnElement[bool]:
    """Whether a job is shown in one of these."""
    stored = jobs.c.status.in_([str(status) for status in statuses])
    if JobStatus.PENDING in statuses:
        return or_(stored, AHEAD)
    if JobStatus.PROCESSING in statuses:
        return and_(stored, not_(AHEAD))
    return stored


def count_by_status(connection: Connection, source: str | None = None) -> dict[JobStatus, int]:
    """How many jobs are shown in each status, none included; of one source or of all."""
    counting, ahead = _COUNT, _COUNT_AHEAD
    if source is not None:
        counting = counting.where(jobs.c.source == source)
        ahead = ahead.where(jobs.c.source == source)
    counts = dict.fromkeys(JobStatus, 0)
    counts |= {JobStatus.kept(one): count for one, count in connection.execute(counting)}
    claimed = connection.execute(ahead).scalar_one() if counts[JobStatus.PROCESSING] else 0
    counts[JobStatus.PROCESSING] -= claimed
    counts[JobStatus.PENDING] += claimed
    return counts
