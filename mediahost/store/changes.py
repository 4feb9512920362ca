"""Changes among the jobs, for those who watch: what is new since the last look, in microseconds."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, Integer, Text, and_, bindparam, func, select

from mediahost.model.changes import MOST_CHANGES, Changes, Mark
from mediahost.model.job import JobStatus
from mediahost.store.changelog import log_position, logged_since, trimmed_since
from mediahost.store.engine import Database, lasting
from mediahost.store.tables import job_changes, job_progress, jobs, meta

# Beyond so many new jobs it is quicker to count all, by the index, than to read the new ones.
MOST_COUNTED = 50_000

_SINCE = bindparam("position", type_=Text)
_KNOWN = bindparam("newest", type_=Integer)

_NEWEST = select(func.max(jobs.c.number)).scalar_subquery()
_TRIMMED = select(trimmed_since(_SINCE)).select_from(meta).scalar_subquery()
_POSITION = select(log_position(), _NEWEST)
_POSITION_SINCE = select(log_position(), _NEWEST, _TRIMMED)
_COUNT = select(jobs.c.status, func.count()).group_by(jobs.c.status)
_NEWS = (
    select(job_changes.c.job_number, job_changes.c.was, job_changes.c.became)
    .where(logged_since(_SINCE))
    .order_by(job_changes.c.number)
    .limit(MOST_CHANGES + 1)
)
# Of jobs that were counted; the new ones are counted as they are.
_SUMS = (
    select(job_changes.c.was, job_changes.c.became, func.count())
    .where(logged_since(_SINCE), job_changes.c.job_number <= _KNOWN)
    .group_by(job_changes.c.was, job_changes.c.became)
)
_ADDED = select(jobs.c.number, jobs.c.status).where(jobs.c.number > _KNOWN).order_by(jobs.c.number)
_PROGRESS = select(jobs.c.number, job_progress.c.fraction, job_progress.c.message).join_from(
    job_progress,
    jobs,
    and_(jobs.c.id == job_progress.c.job_id, jobs.c.attempt == job_progress.c.attempt),
)


class _Change(NamedTuple):
    number: int
    was: str | None
    became: str | None


class JobChanges:
    """What those who watch the store ask it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @lasting
    def changes(self, mark: Mark | None = None) -> Changes:
        """What happened to jobs since a mark; none: where things stand.

        A change is reported as soon as it is committed, once, whatever was committed before it.
        """
        with self._database.read() as connection:
            position, newest, is_lost = _position(connection, mark)
            progress = {
                number: (fraction, message)
                for number, fraction, message in connection.execute(_PROGRESS)
            }
            if mark is None or is_lost:
                counts = _count(connection)
                return Changes(Mark(position, newest, counts), progress=progress, resync=True)
            news = _news(connection, mark)
            added = _added(connection, mark) if newest > mark.newest else {}
            counts = _counts(connection, mark, news, added)
        now = Mark(position, max(newest, mark.newest), counts)
        if news is None or added is None or len(news) + len(added) > MOST_CHANGES:
            return Changes(now, progress=progress, resync=True)
        # The last one says what became of a job.
        state = {change.number: change.became for change in news}
        return Changes(
            now,
            changed=tuple(each for each, became in state.items() if became and each not in added),
            deleted=tuple(each for each, became in state.items() if not became),
            added=tuple(added),
            progress=progress,
        )


def _position(connection: Connection, mark: Mark | None) -> tuple[str, int, bool]:
    """The log's end, the newest job, and whether the log no longer goes back to the mark."""
    if mark is None:
        position, newest = connection.execute(_POSITION).one()
        return position, newest or 0, False
    asked = {"position": mark.position}
    position, newest, is_lost = connection.execute(_POSITION_SINCE, asked).one()
    return position, newest or 0, bool(is_lost)


def _news(connection: Connection, mark: Mark) -> list[_Change] | None:
    """What the log says since, or None if that is too much."""
    rows = connection.execute(_NEWS, {"position": mark.position}).all()
    return None if len(rows) > MOST_CHANGES else [_Change(*row) for row in rows]


def _added(connection: Connection, mark: Mark) -> dict[int, str] | None:
    """The new jobs with their statuses, or None if there are very many."""
    wanted = _ADDED.limit(MOST_COUNTED + 1)
    rows = connection.execute(wanted, {"newest": mark.newest}).all()
    return None if len(rows) > MOST_COUNTED else dict(map(tuple, rows))


def _counts(
    connection: Connection,
    mark: Mark,
    news: Iterable[_Change] | None,
    added: Mapping[int, str] | None,
) -> dict[JobStatus, int]:
    """How many jobs there are of each status, by what changed: a million need not be counted."""
    if added is None:
        return _count(connection)
    counts = Counter(mark.counts)
    counts.update(map(JobStatus.kept, added.values()))
    if news is None:
        asked = {"position": mark.position, "newest": mark.newest}
        sums = [tuple(row) for row in connection.execute(_SUMS, asked)]
    else:
        sums = [(each.was, each.became, 1) for each in news if each.number <= mark.newest]
    for was, became, number in sums:
        if was:
            counts[JobStatus.kept(was)] -= number
        if became:
            counts[JobStatus.kept(became)] += number
    return dict.fromkeys(JobStatus, 0) | {one: number for one, number in counts.items() if number}


def _count(connection: Connection) -> dict[JobStatus, int]:
    rows = connection.execute(_COUNT)
    return dict.fromkeys(JobStatus, 0) | {JobStatus.kept(one): number for one, number in rows}
