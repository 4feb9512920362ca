"""A host without the fence: what `mediahost work` would be without it. For a control.

    python unfenced.py

SIGTERM lets it finish what it has.
"""

import signal
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, bindparam, or_

from mediahost.model.job import Token
from mediahost.settings import load_settings
from mediahost.store import attempts
from mediahost.store.tables import jobs
from mediahost.wiring import make_host


def main() -> None:
    """Work, and commit whatever comes, whoever the job belongs to by now."""
    attempts.Attempts.renew = _renew_all  # type: ignore[method-assign]
    attempts._held = _hold_all
    attempts._COMPLETE = without_fence(attempts._COMPLETE)
    with make_host(load_settings()) as host:
        signal.signal(signal.SIGTERM, lambda *_: host.drain())
        host.work(forever=True)


def _renew_all(
    _store: attempts.Attempts,
    host: str,
    tokens: Collection[Token],
    lease_s: float,
) -> set[Token]:
    return set(tokens)


def _hold_all(
    connection: Connection,
    host: str,
    tokens: Collection[Token],
) -> dict[Token, bool]:
    return dict.fromkeys(tokens, False)


def without_fence(statement: Any) -> Any:
    """The same for whatever attempt and host; it takes the same values."""
    whose = jobs.c.attempt == bindparam("of_attempt"), jobs.c.host == bindparam("by_host")
    unfenced = statement._generate()
    unfenced._where_criteria = (statement._where_criteria[0], or_(*whose, jobs.c.id.is_not(None)))
    return unfenced


if __name__ == "__main__":
    main()
