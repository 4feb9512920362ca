"""Search: full text over passages and questions about time ranges, on either database."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from mediahost.model.search import Found, Search, Term
from mediahost.store.derived import passages
from mediahost.store.engine import Database, lasting
from mediahost.store.snippets import snippet_of
from mediahost.store.tables import analysis_jobs

# A long text is found in several parts, of which the best is told.
PARTS = 4

_columns = passages.c
_index = table("passages_words", column("rowid"))

# What other content has taken the place of is at no path any more.
_AT_A_PATH = analysis_jobs.c.file_path != analysis_jobs.c.file_hash

# Its index on Postgres is over this.
_VECTOR: ColumnElement[Any] = literal_column("passage_vector(passages.tokens)")


class _TsQuery(FunctionElement[Any]):
    """A tsquery as it is spelled: no parser of the server's looks at the words."""

    inherit_cache = True

    def __init__(self, spelled: str) -> None:
        super().__init__(literal(spelled))


@compiles(_TsQuery)
def _compile_query(element: _TsQuery, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kw)} AS tsquery)"


class Searching:
    """Finds passages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @lasting
    def search(self, search: Search) -> list[Found]:
        """What is found: the best match first, or time ranges in the order of their files."""
        conditions = [_AT_A_PATH, *_conditions(search)]
        with self._database.read() as connection:
            if not search.terms:
                wanted = _ranges()
            elif connection.dialect.name == "sqlite":
                wanted = _texts_sqlite(search.terms)
            else:
                wanted = _texts_postgresql(search.terms)
            most = PARTS * search.limit if search.terms else search.limit
            rows = connection.execute(wanted.where(*conditions).limit(most))
            found = [Found(*row) for row in rows]
        if search.terms:
            found = once(found)
        found = found[: search.limit]
        return [replace(one, snippet=snippet_of(one.snippet, search.terms)) for one in found]


def once(found: Iterable[Found]) -> list[Found]:
    """Of the parts of one long text the first."""
    by_place: dict[Found, Found] = {}
    for one in found:
        by_place.setdefault(replace(one, snippet=None), one)
    return list(by_place.values())


def _found() -> Select[Any]:
    return select(
        analysis_jobs.c.file_path,
        analysis_jobs.c.file_hash,
        analysis_jobs.c.action,
        _columns.kind,
        _columns.label,
        _columns.start_s,
        _columns.end_s,
        _columns.page,
        _columns.words,
    )


def _ranges() -> Select[Any]:
    joined = passages.join(analysis_jobs, analysis_jobs.c.id == _columns.analysis_id)
    return (
        _found()
        .select_from(joined)
        .where(_columns.kind == "range")
        .order_by(analysis_jobs.c.file_path, _columns.start_s, _columns.id)
    )


def _texts_sqlite(terms: Iterable[Term]) -> Select[Any]:
    joined = _index.join(passages, _columns.id == _index.c.rowid).join(
        analysis_jobs, analysis_jobs.c.id == _columns.analysis_id
    )
    matching = text("passages_words MATCH :terms").bindparams(terms=fts5_of(terms))
    return (
        _found()
        .select_from(joined)
        .where(matching)
        .order_by(text("bm25(passages_words)"), _columns.id)
    )


def _texts_postgresql(terms: Sequence[Term]) -> Select[Any]:
    joined = passages.join(analysis_jobs, analysis_jobs.c.id == _columns.analysis_id)
    query = _TsQuery(tsquery_of(terms))
    return (
        _found()
        .select_from(joined)
        .where(
            text("passages.tokens IS NOT NULL"),
            _VECTOR.bool_op("@@")(query),
            *(_in_a_row(term) for term in terms if term.excluded or len(term.words) > 1),
        )
        .order_by(func.ts_rank(_VECTOR, query).desc(), _columns.id)
    )


def _conditions(search: Search) -> Iterable[ColumnElement[bool]]:
    if search.label is not None:
        yield _columns.label == search.label
    if search.min_s is not None:
        yield _columns.end_s - _columns.start_s >= search.min_s
    if search.from_s is not None:
        yield _columns.end_s >= search.from_s
    if search.to_s is not None:
        yield _columns.start_s < search.to_s


def fts5_of(terms: Iterable[Term]) -> str:
    """Terms in the language of FTS5: each a string, in which nothing has a meaning."""
    written = {False: [], True: []}  # type: dict[bool, list[str]]
    for term in terms:
        words = '"{}"{}'.format(" ".join(term.words), " *" if term.is_open else "")
        written[term.excluded].append(words)
    wanted = " AND ".join(written[False])
    return "".join([f"({wanted})", *(f" NOT {words}" for words in written[True])])


def tsquery_of(terms: Iterable[Term]) -> str:
    """Terms as a tsquery: words are letters and digits, so that none needs to be escaped.

    Words in a row are only asked to be there: that they are in a row is seen by `_in_a_row`.
    """
    return " & ".join(
        "{}{}".format(" & ".join(f"'{word}'" for word in term.words), ":*" if term.is_open else "")
        for term in terms
        if not term.excluded
    )


def _in_a_row(term: Term) -> ColumnElement[bool]:
    """Whether a passage has these words one behind the other."""
    words = " ".join(term.words)
    pattern = f"% {words}%" if term.is_open else f"% {words} %"
    spaced: ColumnElement[str] = literal_column("' ' || passages.tokens || ' '")
    there = spaced.like(pattern)
    return ~there if term.excluded else there
