"""Losses: how often what ran a job went away, since the job last ended."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, func, select

from mediahost.store.dialect import among, listed
from mediahost.store.tables import job_attempts

_ended = job_attempts.alias("ended")
# The attempt after which the job was not tried again by itself.
_LAST_END = (
    select(func.coalesce(func.max(_ended.c.attempt), 0))
    .where(_ended.c.job_id == job_attempts.c.job_id, _ended.c.retry_in_s.is_(None))
    .scalar_subquery()
)
_LOSSES = (
    select(job_attempts.c.job_id, func.count())
    .where(
        among([job_attempts.c.job_id], "job_ids"),
        job_attempts.c.outcome == "lost",
        job_attempts.c.attempt > _LAST_END,
    )
    .group_by(job_attempts.c.job_id)
)


def losses_of(connection: Connection, job_ids: Collection[UUID]) -> dict[UUID, int]:
    """How often each of these jobs was lost while it ran; those that never were are left out."""
    rows = connection.execute(_LOSSES, {"job_ids": listed(job_ids)})
    return {row[0]: row[1] for row in rows}
