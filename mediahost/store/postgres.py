"""Postgres, by psycopg: a pool of connections, and a server that may restart at any moment."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from mediahost.errors import StoreError
from mediahost.installation import extra_hint
from mediahost.store.engine import Database, Fetched
from mediahost.store.jsonb import from_jsonb, to_jsonb
from mediahost.store.location import Location

try:
    import psycopg
except ImportError:
    raise StoreError(
        "A store on Postgres needs psycopg, which is not installed",
        f"Install it with: {extra_hint('mediahost', 'postgres')}",
    ) from None

T = TypeVar("T")

POOL_SIZE = 10
MAX_OVERFLOW = 20
RECYCLE_S = 3600
CONNECT_TIMEOUT_S = 10

# How long a server that went away is waited for. A restart takes seconds, recovery after a crash
# up to a few checkpoints' worth of log.
PATIENCE_S = 60.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 1.0

# By SQLSTATE (Postgres, appendix A), or its beginning: a sentence's end, and what to do.
_REFUSED = ("it refuses the user or the password", "Check the user and the password in the URL.")
_NO_DATABASE = ("there is no such database", "Create it with: createdb NAME")
_TOO_MANY = ("the server takes no more connections", "End some, or raise max_connections there.")
_NO_WRITES = (
    "the server takes no writes",
    "Use the URL of the primary server, and see that default_transaction_read_only is off.",
)
_UNSUPPORTED = (
    "the server can't do that now",
    "Use the URL of the primary server, without a pooler that pools by transaction.",
)
_SHORT = ("the server lacks memory or disk", "See the server's log, and try again.")
_FAULTY = ("the server has a fault", "See the server's log.")
_SCHEMA = ("its tables are not as they were made", "Run: mediahost store check")
_DAMAGED = ("it is damaged", "Restore it from a backup.")
_REASONS = {
    "0A": _UNSUPPORTED,
    "25006": _NO_WRITES,
    "26": _UNSUPPORTED,
    "28": _REFUSED,
    "3D": _NO_DATABASE,
    "3F": _SCHEMA,
    "42501": ("the user may not do this", "Grant the user all rights on the database's schema."),
    "42703": _SCHEMA,
    "42704": _SCHEMA,
    "42883": _SCHEMA,
    "42P01": _SCHEMA,
    "42P05": _UNSUPPORTED,
    "42P10": _SCHEMA,
    "53100": ("the server's disk is full", "Free some space there and try again."),
    "53": _SHORT,
    "55000": _UNSUPPORTED,
    "57P04": _NO_DATABASE,
    "58": _FAULTY,
    "F0": _FAULTY,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
    "XX": _FAULTY,
}
# What passes: it is tried again, for a while. The server is full, a lock is held, or a limit of
# the server or the user has ended a statement.
_PASSING = {
    "25P04": ("a transaction took too long for the server", "Raise transaction_timeout there."),
    "53300": _TOO_MANY,
    "55P03": ("another program holds it", "Wait for it, or end it, and try again."),
    "57014": (
        "the server cancelled a statement",
        "Raise statement_timeout for this user, or try again.",
    ),
}
# What goes wrong before a connection stands has no code.
_BY_WORDS = {
    "password authentication failed": _REFUSED,
    "no password supplied": _REFUSED,
    "no pg_hba.conf entry": _REFUSED,
    'FATAL:  role "': _REFUSED,
    'FATAL:  database "': _NO_DATABASE,
    "too many clients": _TOO_MANY,
    "remaining connection slots": _TOO_MANY,
}
# The connection is gone, or refused for now.
_GONE = ("08", "25P03", "57P01", "57P02", "57P03", "57P05")
# The transaction lost against another one and may be done again.
_CONFLICT = ("40",)
# How often what passes is tried: a limit that ends a statement will mostly end it again.
PASSING_ATTEMPTS = 4


class Unreachable(StoreError):
    """The server is not there, or not there now."""


class Conflict(StoreError):
    """The transaction lost against another one."""


class Passing(StoreError):
    """The server did not do it now; it may do it soon."""


class PostgresDatabase(Database):
    """One database of a Postgres server.

    Args:
        location: Where it is. Nothing connects before the first transaction.
    """

    # The snapshot names the transactions that are under way: each commit makes another one.
    version_sql = "SELECT hashtextextended(CAST(pg_current_snapshot() AS text), 0)"

    def __init__(self, location: Location) -> None:
        super().__init__(location, create_engine(location.url, **engine_options()))
        self._reader = self.engine.execution_options(
            # One moment for all that a transaction reads.
            isolation_level="REPEATABLE READ",
            postgresql_readonly=True,
        )
        self._at_once = self.engine.execution_options(
            isolation_level="AUTOCOMMIT", postgresql_readonly=True
        )

    def error(self, cause: BaseException | None) -> StoreError | None:
        """The error to raise for what psycopg raised."""
        return error_of(self.location, cause)

    def fetch(self, sql: str, parameters: Sequence[Any]) -> Fetched:
        """What one statement reads, in the words of the driver: a transaction by itself.

        The server is spared the words that begin and end one.

        Raises:
            StoreError: The database can't be read.
        """
        self.check_usable()
        with self.explained(), self._at_once.connect() as connection:
            return Fetched.all_of(connection.exec_driver_sql(sql, tuple(parameters)).cursor)

    def persevere(self, act: Callable[[], T]) -> T:
        """Do something made of whole transactions; again, if the server restarts meanwhile.

        Raises:
            StoreError: The server did not come back.
        """
        patience = _Patience()
        passed = 0
        while True:
            try:
                return act()
            except (Unreachable, Conflict):
                if not patience.pause():
                    raise
            except Passing:
                passed += 1
                if passed == PASSING_ATTEMPTS or not patience.pause():
                    raise

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._reader.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self, *, synced: bool) -> Iterator[Connection]:  # noqa: ARG002 - the server decides
        with self.engine.connect() as connection:
            yield connection
            asked = _TRANSACTION if self.made_for is None else _TRANSACTION_AND_SCHEMA
            transaction, started_at, *schema = connection.execute(asked).one()
            if schema:
                # At the end: an upgrade waits for those who write, or has been waited for by now.
                self._see_that_schema_is(*schema)
            try:
                connection.commit()
            except DBAPIError as error:
                if not (error.connection_invalidated and transaction):
                    raise
                if not self.persevere(lambda: self._was_committed(transaction, started_at)):
                    raise

    def _was_committed(self, transaction: str, started_at: datetime) -> bool:
        """Whether a transaction was, whose commit got no answer. The server remembers.

        Of what a crash took before it was on the disk it knows nothing, and gives the number to
        another one. What was there when it had recovered is told by the checkpoint of that moment.

        Args:
            transaction: Its number.
            started_at: When the server that it was on had started.
        """
        with self.explained():
            while True:
                with self._reader.connect() as connection:
                    now_started_at, next_number = connection.execute(_SERVER).one()
                    epoch, within = map(int, next_number.split(":"))
                    if now_started_at != started_at and int(transaction) >= (epoch << 32) + within:
                        return False
                    state = connection.scalar(_STATE, {"transaction": transaction})
                if state != "in progress":
                    return bool(state == "committed")
                # The server has not noticed yet that its client is gone.
                time.sleep(FIRST_PAUSE_S)


def error_of(location: Location, cause: BaseException | None) -> StoreError | None:
    """The error to raise for what psycopg raised; None: that was a mistake of ours."""
    if isinstance(cause, NoConnectionFree):
        reason, hint = "all connections of this process are in use", "Try again."
        return Passing(f"The store {location} can't be used: {reason}", hint)
    if not isinstance(cause, psycopg.Error):
        return None
    return _transient(location, cause) or _lasting(location, cause)


def _transient(location: Location, cause: psycopg.Error) -> StoreError | None:
    """What is worth another try."""
    code = cause.sqlstate or ""
    if code in _PASSING:
        reason, hint = _PASSING[code]
        return Passing(f"The store {location} can't be used: {reason}", hint)
    if code.startswith(_CONFLICT):
        return Conflict(f"The store {location} is busy: {_first_line(cause)}", "Try again.")
    is_unknown = not code and isinstance(cause, psycopg.OperationalError)
    if code.startswith(_GONE) or (is_unknown and not _known_reason(cause)):
        return Unreachable(
            f"The store {location} can't be reached: {_first_line(cause)}",
            "Check that the server runs, and its host and port in the URL.",
        )
    return None


def _lasting(location: Location, cause: psycopg.Error) -> StoreError | None:
    """What a person must see to."""
    if known := _known_reason(cause):
        return StoreError(f"The store {location} can't be used: {known[0]}", known[1])
    if not cause.sqlstate and isinstance(cause, psycopg.ProgrammingError):
        return StoreError(f"The store's URL can't be used: {_first_line(cause)}")
    if isinstance(cause, psycopg.OperationalError | psycopg.InternalError):
        return StoreError(f"The store {location} can't be used: {_first_line(cause)}")
    return None  # wrong SQL or wrong values


_TRANSACTION = text(
    "SELECT CAST(pg_current_xact_id_if_assigned() AS text), pg_postmaster_start_time()"
)
_TRANSACTION_AND_SCHEMA = text(
    "SELECT CAST(pg_current_xact_id_if_assigned() AS text), pg_postmaster_start_time(),"
    " (SELECT max(version_num) FROM alembic_version)"
)
# The next number is `epoch:number`, as of the last checkpoint.
_SERVER = text("SELECT pg_postmaster_start_time(), next_xid FROM pg_control_checkpoint()")
_STATE = text("SELECT pg_xact_status(CAST(:transaction AS xid8))")


class _Patience:
    """Pauses that grow, until there were enough of them."""

    def __init__(self) -> None:
        self._ends_at = time.monotonic() + PATIENCE_S
        self._next_s = FIRST_PAUSE_S

    def pause(self) -> bool:
        """Wait a little; False: that was long enough."""
        if time.monotonic() + self._next_s > self._ends_at:
            return False
        time.sleep(self._next_s)
        self._next_s = min(2 * self._next_s, LONGEST_PAUSE_S)
        return True


def _known_reason(cause: psycopg.Error) -> tuple[str, str] | None:
    if cause.sqlstate:
        known = (_REASONS[code] for code in _REASONS if cause.sqlstate.startswith(code))
    else:
        known = (_BY_WORDS[words] for words in _BY_WORDS if words in str(cause))
    return next(known, None)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def engine_options() -> dict[str, Any]:
    """How SQLAlchemy is to be set up, in threads and in event loops."""
    return {
        # By position, so that one way of binding rows serves both databases.
        "paramstyle": "format",
        "json_serializer": to_jsonb,
        "json_deserializer": from_jsonb,
        "pool_size": POOL_SIZE,
        "max_overflow": MAX_OVERFLOW,
        "pool_recycle": RECYCLE_S,
        "pool_pre_ping": True,
        # Values are a person's: no error shows them.
        "hide_parameters": True,
        "connect_args": {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "mediahost"},
    }


def connect_arguments(location: Location) -> dict[str, Any]:
    """What psycopg is to be called with, for a connection outside of the pool."""
    _, arguments = location.url.get_dialect()().create_connect_args(location.url)
    return {**arguments, "connect_timeout": CONNECT_TIMEOUT_S}
