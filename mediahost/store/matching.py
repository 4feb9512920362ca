"""Whether a passage is what is looked for: full text for a store without a database."""

from mediahost.model.search import Search, Term
from mediahost.store.passages import Passage


def matches(passage: Passage, search: Search) -> bool:
    """Whether all conditions of the search hold for a passage."""
    if not search.terms and passage.kind != "range":
        return False
    return (
        search.label in (None, passage.label)
        and _is_there(passage, search)
        and all(_has(passage, term) is not term.excluded for term in search.terms)
    )


def _is_there(passage: Passage, search: Search) -> bool:
    timed = search.min_s is not None or search.from_s is not None or search.to_s is not None
    if passage.start_s is None or passage.end_s is None:
        return not timed
    return (
        (search.min_s is None or passage.end_s - passage.start_s >= search.min_s)
        and (search.from_s is None or passage.end_s >= search.from_s)
        and (search.to_s is None or passage.start_s < search.to_s)
    )


def _has(passage: Passage, term: Term) -> bool:
    there, wanted = (passage.tokens or "").split(), term.words
    return any(_begins(there[at:], wanted, term) for at in range(len(there)))


def _begins(there: list[str], wanted: list[str], term: Term) -> bool:
    *whole, last = wanted
    if len(there) < len(wanted) or there[: len(whole)] != whole:
        return False
    found = there[len(whole)]
    return found.startswith(last) if term.is_open else found == last
