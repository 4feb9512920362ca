"""Filters of jobs as SQL: every value is a parameter."""

import operator
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    and_,
    exists,
    false,
    literal,
    not_,
    or_,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from mediahost.model.job import JobStatus
from mediahost.model.job_filter import CANCELLING, TEXT, JobFilter, Term, Value
from mediahost.model.paths import spellings
from mediahost.store.ahead import in_status
from mediahost.store.tables import analysis_jobs, jobs, processing_jobs

_COMPARE: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": ">="}
_SEARCHED = (jobs.c.media_url, jobs.c.action, jobs.c.error)

# Of the same content and config there is no result.
_UNRESOLVED = and_(
    jobs.c.status == "failed",
    not_(
        exists().where(
            analysis_jobs.c.file_hash == jobs.c.file_hash,
            analysis_jobs.c.config_hash == jobs.c.config_hash,
        )
    ),
    not_(
        exists().where(
            processing_jobs.c.input_hash == jobs.c.file_hash,
            processing_jobs.c.config_hash == jobs.c.config_hash,
        )
    ),
)


class like(FunctionElement[bool]):  # noqa: N801 - it reads as the SQL operator it is
    """LIKE that takes no notice of case, with a backslash to escape."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], pattern: str) -> None:
        super().__init__(column, literal(pattern))


@compiles(like, "sqlite")
def _like_sqlite(element: like, compiler: SQLCompiler, **kw: Any) -> str:
    column, pattern = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} LIKE {pattern} ESCAPE '\\'"


@compiles(like, "postgresql")
def _like_postgresql(element: like, compiler: SQLCompiler, **kw: Any) -> str:
    column, pattern = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} ILIKE {pattern} ESCAPE '\\'"


def condition_of(wanted: JobFilter, now: datetime | None = None) -> ColumnElement[bool]:
    """What holds for the jobs that a filter lets through; ages count back from `now`."""
    now = now or datetime.now(UTC)
    return and_(true(), *(_of_term(term, now) for term in wanted.terms))


def _of_term(term: Term, now: datetime) -> ColumnElement[bool]:
    found = or_(false(), *(_of_value(term, value, now) for value in term.values))
    # A condition on a column that is NULL is neither true nor false; its opposite is meant too.
    return found.is_not(true()) if term.negated else found


def _of_value(term: Term, value: Value, now: datetime) -> ColumnElement[bool]:  # noqa: C901, PLR0911 - one for each field
    compare = _COMPARE[term.comparison]
    match term.field:
        case "state":
            return _in_state(str(value))
        case "job":
            return compare(jobs.c.number, _long(int(value)))
        case "try":
            return compare(jobs.c.attempt, _long(int(value)))
        case "dur":
            if term.comparison == "=":
                last = _long(_ms(value) + 999)
                return jobs.c.processing_time_ms.between(_long(_ms(value)), last)
            return compare(jobs.c.processing_time_ms, _long(_ms(value)))
        case "age":
            # Younger than two days: made after the moment two days ago.
            moment = now - timedelta(seconds=float(value))
            return _COMPARE[_MIRRORED[term.comparison]](jobs.c.created_at, moment)
        case "cached":
            return jobs.c.cached if value else not_(jobs.c.cached)
        case "unresolved":
            return _UNRESOLVED if value else not_(_UNRESOLVED)
        case "err":
            return _alike(jobs.c.error, f"%{_escaped(str(value))}%")
        case _ if term.field == TEXT:
            return or_(*(_alike(column, f"%{_escaped(str(value))}%") for column in _SEARCHED))
        case _:
            return _named(term.field, str(value))


def _in_state(state: str) -> ColumnElement[bool]:
    if state == CANCELLING:
        return and_(jobs.c.status == str(JobStatus.PROCESSING), jobs.c.cancel_requested)
    return in_status([state])


def _named(field: str, value: str) -> ColumnElement[bool]:
    pattern = _escaped(value).replace("**", "%").replace("*", "%").replace("?", "_")
    has_wildcard = "*" in value or "?" in value
    if field == "plugin":  # an action is called plugin.verb
        return _alike(jobs.c.action, f"{pattern}.%")
    if field == "media":
        return _alike(jobs.c.media_url, pattern if has_wildcard else f"%{pattern}%")
    return _alike(jobs.c[field], pattern)


def _alike(column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """LIKE, for which `é` is one letter however a path spells it."""
    return or_(*(like(column, one) for one in spellings(pattern)))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _long(number: int) -> ColumnElement[int]:
    """A number that may be larger than any that the column could have: nothing is, then."""
    return literal(number, BigInteger)


def _ms(seconds: Value) -> int:
    return round(float(seconds) * 1000)
