"""Browsing: windows of any number of jobs under a filter, and what has changed since a look.

Nothing here skips rows to reach later ones: lists are read as job numbers first, in stretches that
can be broken off, and rows by their numbers.
"""

import threading
from array import array
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal,
    select,
)

from mediahost.model.job import ANOTHER_PROGRAMS, JobStatus
from mediahost.model.job_filter import JobFilter
from mediahost.model.spending import Spending
from mediahost.store.ahead import SHOWN_STATUS, count_by_status
from mediahost.store.dialect import among, listed
from mediahost.store.engine import Database, lasting
from mediahost.store.figures import Figures, figures
from mediahost.store.job_filter import condition_of
from mediahost.store.spelling import json_value
from mediahost.store.spending import spending
from mediahost.store.tables import job_progress, jobs

# Jobs of so many numbers are asked for at once: some 10 ms where no index helps.
STRETCH = 50_000
# So many stretches at once where words are compared: that goes on beside Python, and whoever waits
# for a million jobs to be looked through often has a core that does nothing.
READERS = 2
ERROR_LENGTH = 300


class Order(StrEnum):
    """How jobs are listed."""

    NEWEST = "newest"
    OLDEST = "oldest"
    SLOWEST = "slowest"
    CHANGED = "changed"


class JobLine(NamedTuple):
    """What a list shows of a job. Times are timezone-aware UTC.

    Attributes:
        origin_url: The file that the media file was made of; None: no action made it.
        error: The beginning of why it failed; of a completed job what its result lacks.
        fraction: How far the attempt is, 0 to 1, or None.
        priority: Higher goes first within its source, while it is pending.
        matches: Whether the filter still holds for it.
    """

    number: int
    job_id: UUID
    status: JobStatus
    action: str
    media_url: str
    origin_url: str | None
    attempt: int
    created_at: datetime
    started_at: datetime | None
    processing_time_ms: int | None
    error: str | None
    cancel_requested: bool
    cached: bool
    fraction: float | None
    message: str | None
    priority: int
    matches: bool


class ActionCount(NamedTuple):
    """How many jobs an action has."""

    action: str
    jobs: int


@dataclass(frozen=True, slots=True)
class Look:
    """What a list needs to be up to date.

    Attributes:
        lines: Those of the jobs asked for that exist still.
        fresh: Numbers of matching jobs that are newer than what was seen, ascending.
        newest: The highest number of all jobs, if new ones were asked for.
    """

    lines: list[JobLine]
    fresh: "array[int]"
    newest: int


_LINE = (
    jobs.c.number,
    jobs.c.id,
    SHOWN_STATUS,
    func.coalesce(jobs.c.action, literal(ANOTHER_PROGRAMS)),
    jobs.c.media_url,
    func.nullif(jobs.c.root_url, jobs.c.media_url),
    jobs.c.attempt,
    jobs.c.created_at,
    jobs.c.started_at,
    jobs.c.processing_time_ms,
    func.substr(jobs.c.error, 1, ERROR_LENGTH),
    jobs.c.cancel_requested,
    jobs.c.cached,
    job_progress.c.fraction,
    job_progress.c.message,
    jobs.c.priority,
)
_WITH_PROGRESS = jobs.outerjoin(
    job_progress,
    and_(job_progress.c.job_id == jobs.c.id, job_progress.c.attempt == jobs.c.attempt),
)
_NEWEST = select(func.max(jobs.c.number))
_THESE = among([jobs.c.number], "numbers")
_SORTED_BY: dict[Order, ColumnElement[Any]] = {
    Order.SLOWEST: jobs.c.processing_time_ms,
    Order.CHANGED: jobs.c.updated_at,
}
# As one text: a row for each takes two to three times the CPU, most of it under Python's own lock.
_TOGETHER = func.aggregate_strings(cast(jobs.c.number, Text), ",")
_IN_STRETCH = and_(jobs.c.number >= bindparam("low"), jobs.c.number < bindparam("high"))
_ACTIONS = (
    select(jobs.c.action, func.count())
    .where(jobs.c.action.is_not(None))
    .group_by(jobs.c.action)
    .order_by(jobs.c.action)
)


class Browser:
    """Reads jobs for somebody who looks at them. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watching: Any = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the connection that watches for changes."""
        with self._lock:
            if self._watching is not None:
                self._watching.close()
                self._watching = None

    def version(self) -> int:
        """A number that differs from the last one if another connection wrote meanwhile.

        Costs 2 µs on SQLite.

        Raises:
            StoreError: The store can't be read.
        """
        self._database.check_usable()
        with self._lock, self._database.explained():
            if self._watching is None:
                self._watching = self._database.engine.raw_connection()
            try:
                cursor = self._watching.cursor()
                cursor.execute(self._database.version_sql)
                version: int = cursor.fetchone()[0]
                cursor.close()
                self._watching.rollback()
            except Exception:
                # A server that restarted: the next look makes a new connection.
                self._watching.invalidate()
                self._watching = None
                raise
            return version

    def first(self, wanted: JobFilter, order: Order, limit: int) -> list[JobLine]:
        """The first lines of a list."""
        by = _order(order)
        return self._lines(_lines_of(wanted).where(condition_of(wanted)).order_by(*by).limit(limit))

    def numbers(self, wanted: JobFilter, order: Order) -> Iterator["array[int]"]:
        """The numbers of all matching jobs, in stretches, each ascending as it is listed upwards.

        Newest first: the stretches go down and each is ascending. Else: as it is listed.
        """
        condition = condition_of(wanted)
        if order in _SORTED_BY:
            yield self._numbers(select(jobs.c.number).where(condition).order_by(*_order(order)))
            return
        low, high = self._bounds()
        starts = range(low, high + 1, STRETCH)
        in_stretch = select(_TOGETHER).where(_IN_STRETCH, condition)
        readers = ThreadPoolExecutor(READERS if wanted.terms else 1, "numbers")
        try:
            found = readers.map(
                lambda start: self._stretch(in_stretch, start),
                reversed(starts) if order is Order.NEWEST else starts,
            )
            yield from filter(None, found)
        finally:
            readers.shutdown(cancel_futures=True)

    @lasting
    def newest(self) -> int:
        """The highest number of all jobs; 0 if there are none."""
        with self._database.read() as connection:
            return connection.execute(_NEWEST).scalar() or 0

    @lasting
    def look(self, numbers: Collection[int], wanted: JobFilter, seen: int, most: int) -> Look:
        """These jobs as they are now, and the matching ones with numbers above `seen`.

        Args:
            numbers: The jobs to read.
            wanted: The filter.
            seen: The highest number known.
            most: Give at most so many new numbers, the oldest; 0: nobody asks for new ones.
        """
        fresh = array("q")
        with self._database.read() as connection:
            rows = connection.execute(_these_lines(wanted), {"numbers": listed(numbers)}).all()
            newest = (connection.execute(_NEWEST).scalar() or 0) if most else seen
            if newest > seen:
                after = select(jobs.c.number).where(jobs.c.number > seen, condition_of(wanted))
                fresh.extend(
                    connection.execute(after.order_by(jobs.c.number).limit(most)).scalars()
                )
        return Look([_line(row) for row in rows], fresh, newest)

    @lasting
    def counts(self) -> dict[JobStatus, int]:
        """How many jobs there are of each status."""
        with self._database.read() as connection:
            return count_by_status(connection)

    @lasting
    def figures(self, hours: int) -> Figures:
        """How the jobs of the last hours fared."""
        return figures(self._database, hours=hours)

    @lasting
    def spending(self, hours: int | None = None) -> list[Spending]:
        """What language models have used in the last hours; None: ever."""
        return spending(self._database, hours=hours)

    @lasting
    def actions(self) -> list[ActionCount]:
        """How many jobs each action has, by name."""
        with self._database.read() as connection:
            return [ActionCount(*row) for row in connection.execute(_ACTIONS)]

    @lasting
    def ids(
        self, wanted: JobFilter, numbers: Collection[int] | None, statuses: Collection[JobStatus]
    ) -> list[UUID]:
        """The ids of all matching jobs, or of these among them, that have such a status."""
        asked = select(jobs.c.id).where(jobs.c.status.in_([str(status) for status in statuses]))
        parameters = {}
        if numbers is None:
            asked = asked.where(condition_of(wanted))
        else:
            asked = asked.where(_THESE)
            parameters = {"numbers": listed(numbers)}
        with self._database.read() as connection:
            return list(connection.execute(asked, parameters).scalars())

    @lasting
    def _bounds(self) -> tuple[int, int]:
        # Apart: SQLite finds one end of an index at once, but not both in one statement.
        with self._database.read() as connection:
            low = connection.execute(select(func.min(jobs.c.number))).scalar()
            high = connection.execute(_NEWEST).scalar() or 0
        return (low, high) if low is not None else (1, 0)

    @lasting
    def _stretch(self, wanted: Select[Any], start: int) -> "array[int]":
        bounds = {"low": start, "high": start + STRETCH}
        with self._database.read() as connection:
            together = connection.execute(wanted, bounds).scalar() or ""
        return array("q", sorted(json_value(f"[{together}]")))

    @lasting
    def _numbers(self, wanted: Select[Any]) -> "array[int]":
        found = array("q")
        with self._database.read() as connection:
            cursor: Any = connection.execute(wanted).cursor
            # The driver's own rows: SQLAlchemy's cost three times as much, and these are a million.
            while rows := cursor.fetchmany(STRETCH):
                found.extend([row[0] for row in rows])
        return found

    @lasting
    def _lines(self, wanted: Select[Any]) -> list[JobLine]:
        with self._database.read() as connection:
            return [_line(row) for row in connection.execute(wanted)]


def _order(order: Order) -> tuple[ColumnElement[Any], ...]:
    if order in _SORTED_BY:
        return _SORTED_BY[order].desc().nulls_last(), jobs.c.number.desc()
    return (jobs.c.number if order is Order.OLDEST else jobs.c.number.desc(),)


def _lines_of(wanted: JobFilter) -> Select[Any]:
    matches = condition_of(wanted) if wanted.terms else literal(True)  # noqa: FBT003 - SQL's TRUE
    return select(*_LINE, matches.label("matches")).select_from(_WITH_PROGRESS)


def _these_lines(wanted: JobFilter) -> Select[Any]:
    # An age counts back from the moment of the question.
    dated = any(term.field == "age" for term in wanted.terms)
    return _lines_of(wanted).where(_THESE) if dated else _made_once(wanted)


@lru_cache(maxsize=8)
def _made_once(wanted: JobFilter) -> Select[Any]:
    # To make the statement takes as long as to read some lines with it, ten times a second.
    return _lines_of(wanted).where(_THESE)


def _line(row: Any) -> JobLine:
    number, job_id, status, *rest = row
    return JobLine(number, job_id, JobStatus.kept(status), *rest)
