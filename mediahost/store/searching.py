"""Search: full text over passages and questions about time ranges, on either database."""

import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, column, func, literal_column, select, table, text

from mediahost.model.search import Found, Search, Term
from mediahost.store.derived import passages
from mediahost.store.engine import Database, lasting
from mediahost.store.tables import analysis_jobs

SNIPPET_WORDS = 24

_columns = passages.c
_index = table("passages_words", column("rowid"))

# What other content has taken the place of is at no path any more.
_AT_A_PATH = analysis_jobs.c.file_path != analysis_jobs.c.file_hash

_SNIPPET_SQLITE: ColumnElement[str] = literal_column(
    f"snippet(passages_words, 0, '', '', '…', {SNIPPET_WORDS})"
)
# How Postgres splits text into words: as they are, in lower case.
_SIMPLE: ColumnElement[Any] = literal_column("'simple'")
_HEADLINE = f'StartSel="", StopSel="", MaxWords={SNIPPET_WORDS}, MinWords={SNIPPET_WORDS // 2}'


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
            rows = connection.execute(wanted.where(*conditions).limit(search.limit))
            return [Found(*row) for row in rows]


def _found(snippet: ColumnElement[Any]) -> Select[Any]:
    return select(
        analysis_jobs.c.file_path,
        analysis_jobs.c.file_hash,
        analysis_jobs.c.action,
        _columns.kind,
        _columns.label,
        _columns.start_s,
        _columns.end_s,
        _columns.page,
        snippet,
    )


def _ranges() -> Select[Any]:
    joined = passages.join(analysis_jobs, analysis_jobs.c.id == _columns.analysis_id)
    return (
        _found(_columns.words)
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
        _found(_SNIPPET_SQLITE)
        .select_from(joined)
        .where(matching)
        .order_by(text("bm25(passages_words)"), _columns.id)
    )


def _texts_postgresql(terms: Iterable[Term]) -> Select[Any]:
    joined = passages.join(analysis_jobs, analysis_jobs.c.id == _columns.analysis_id)
    query = func.to_tsquery(_SIMPLE, tsquery_of(terms))
    words = func.to_tsvector(_SIMPLE, _columns.words)
    return (
        _found(func.ts_headline(_SIMPLE, _columns.words, query, _HEADLINE))
        .select_from(joined)
        .where(_columns.words.is_not(None), words.bool_op("@@")(query))
        .order_by(func.ts_rank(words, query).desc(), _columns.id)
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
        words = '"{}"{}'.format(" ".join(term.words), " *" if term.prefix else "")
        written[term.excluded].append(words)
    wanted = " AND ".join(written[False])
    return "".join([f"({wanted})", *(f" NOT {words}" for words in written[True])])


def tsquery_of(terms: Iterable[Term]) -> str:
    """Terms in the language of `to_tsquery`: each a quoted text, which it parses as a text."""
    return " & ".join(
        "{}'{}'{}".format(
            "!" if term.excluded else "",
            # With a hyphen it would have to be written with one.
            re.sub(r"[\\'-]", " ", term.text.rstrip("*")),
            ":*" if term.prefix else "",
        )
        for term in terms
    )
