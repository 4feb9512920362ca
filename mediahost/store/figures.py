"""Figures: how many jobs an hour, how long actions take, what fails and why."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Integer,
    ScalarSelect,
    TextClause,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
)

from mediahost.store.engine import Database
from mediahost.store.tables import FOREIGN, jobs

MOST_REASONS = 12
# So many are read: of some the first lines are the same.
READ_REASONS = 4 * MOST_REASONS
# Percentiles are of so many of the newest jobs of an action: more say no more and cost time.
NEWEST = 1000
REASON_LENGTH = 120


def _spelled(text: str) -> ColumnElement[Any]:
    # For Postgres a parameter in GROUP BY is another than the same one in SELECT.
    return literal_column(text)


_URL = jobs.c.media_url
# All that is behind the last slash: what has none at its end is trimmed away first.
_FOLDER = func.rtrim(_URL, func.replace(_URL, _spelled("'/'"), _spelled("''")))
_NAME = func.replace(_URL, _FOLDER, _spelled("''"))
# Of a thousand damaged files the reason is one, not a thousand.
_REASON = func.substr(
    case(
        (_NAME.like(_spelled("'%_._%'")), func.replace(jobs.c.error, _NAME, _spelled("'…'"))),
        else_=jobs.c.error,
    ),
    _spelled("1"),
    _spelled(str(REASON_LENGTH)),
)


class ActionFigures(NamedTuple):
    """How an action fares.

    Attributes:
        completed, failed, cached: Numbers of jobs.
        median_ms, p95_ms: How long its newest completed jobs took, in milliseconds.
    """

    action: str
    completed: int
    failed: int
    cached: int
    median_ms: int | None
    p95_ms: int | None


class Figures(NamedTuple):
    """How the jobs of a while fared.

    Attributes:
        hours: Ended jobs of each hour, the oldest first: (completed, failed).
        actions: By name.
        reasons: Beginnings of errors with how often each was met, the most frequent first; `…`
            stands for the name of the file.
        pending: How many jobs wait.
    """

    hours: tuple[tuple[int, int], ...]
    actions: tuple[ActionFigures, ...]
    reasons: tuple[tuple[str, int], ...]
    pending: int

    @property
    def last_hour(self) -> int:
        """How many jobs ended in the last hour."""
        return sum(self.hours[-1]) if self.hours else 0

    @property
    def eta_s(self) -> float | None:
        """Seconds until nothing waits, at the pace of the last hour; None if that says nothing."""
        return self.pending / self.last_hour * 3600 if self.last_hour else None


def figures(database: Database, *, hours: int = 24, now: datetime | None = None) -> Figures:
    """The figures of the last so many hours."""
    now = now or datetime.now(UTC)
    since = now - timedelta(hours=hours)
    recent = and_(jobs.c.created_at >= since, jobs.c.action.is_not(None))
    with database.read() as connection:
        ended = connection.execute(
            select(jobs.c.completed_at, jobs.c.status).where(
                recent, jobs.c.completed_at.is_not(None), jobs.c.completed_at >= since
            )
        ).all()
        counts = connection.execute(
            select(
                jobs.c.action,
                _number_of(jobs.c.status == "completed"),
                _number_of(jobs.c.status == "failed"),
                _number_of(jobs.c.cached),
            )
            .where(recent)
            .group_by(jobs.c.action)
            .order_by(jobs.c.action)
        ).all()
        took = {row[0]: _times(connection, row[0], since) for row in counts}
        reasons = connection.execute(
            select(_REASON, func.count())
            .where(recent, jobs.c.status == "failed")
            .group_by(_REASON)
            .order_by(func.count().desc())
            .limit(READ_REASONS)
        ).all()
        pending = connection.execute(
            # By two indexes, whatever the number of jobs.
            select(_count(jobs.c.status == "pending") - _count(jobs.c.status == "pending", FOREIGN))
        ).scalar_one()
    return Figures(
        _by_hour([tuple(row) for row in ended], now, hours),
        tuple(
            ActionFigures(name, done, failed, cached, *_middle_and_slow(took[name]))
            for name, done, failed, cached in counts
        ),
        _most_frequent([tuple(row) for row in reasons]),
        pending,
    )


def _count(*conditions: ColumnElement[bool] | TextClause) -> ScalarSelect[int]:
    return select(func.count()).select_from(jobs).where(*conditions).scalar_subquery()


def _most_frequent(reasons: list[tuple[Any, ...]]) -> tuple[tuple[str, int], ...]:
    """The first lines of these: the hints below them may differ."""
    counts: Counter[str] = Counter()
    for text, number in reasons:
        counts[str(text or "").partition("\n")[0]] += number
    return tuple(counts.most_common(MOST_REASONS))


def _number_of(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(cast(condition, Integer)), 0)


def _times(connection: Any, action: str, since: datetime) -> list[int]:
    newest = (
        select(jobs.c.processing_time_ms)
        .where(
            jobs.c.created_at >= since,
            jobs.c.action == action,
            jobs.c.status == "completed",
            jobs.c.processing_time_ms.is_not(None),
        )
        .order_by(jobs.c.created_at.desc())
        .limit(NEWEST)
    )
    return sorted(connection.execute(newest).scalars())


def _middle_and_slow(times: list[int]) -> tuple[int | None, int | None]:
    if not times:
        return None, None
    return times[(len(times) - 1) // 2], times[min(len(times) - 1, round(0.95 * (len(times) - 1)))]


def _by_hour(
    ended: list[tuple[Any, ...]], now: datetime, hours: int
) -> tuple[tuple[int, int], ...]:
    buckets = [[0, 0] for _ in range(hours)]
    for moment, status in ended:
        ago = int((now - moment).total_seconds() // 3600)
        if 0 <= ago < hours and status in ("completed", "failed"):
            buckets[hours - 1 - ago][status == "failed"] += 1
    return tuple((done, failed) for done, failed in buckets)
