"""A database as the store uses it: transactions, and errors that speak to the user."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any, ClassVar, Concatenate, NamedTuple, ParamSpec, Protocol, Self, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from mediahost.errors import StoreError
from mediahost.store.location import Location

P = ParamSpec("P")
T = TypeVar("T")


class Upgraded(StoreError):
    """Another program upgraded the store meanwhile: this one can't write to it any more."""


class Fetched(NamedTuple):
    """What a statement has read, as the driver gives it.

    Attributes:
        rows: All of them.
        kinds: The driver's own names for the columns' types.
    """

    rows: list[tuple[Any, ...]]
    kinds: tuple[Any, ...]

    @classmethod
    def all_of(cls, cursor: Any) -> Self:
        """All that a driver's cursor has to give, which is closed then."""
        kinds = tuple(column[1] for column in cursor.description)
        rows = cursor.fetchall()
        cursor.close()
        return cls(rows, kinds)


class Database(ABC):
    """One database, for all threads of one process. As text it is its place, safe to print.

    Args:
        location: Where it is.
        engine: SQLAlchemy's engine for it.

    Attributes:
        location: Where it is.
        engine: SQLAlchemy's engine for it.
        closed_to_writing: Why nothing may be written to it; None: it may.
        made_for: The schema's version that this program writes for: each writing transaction makes
            sure of it. None: not known yet.
        version_sql: What one connection asks to learn whether others have written: a number
            that is another one then.
    """

    version_sql: ClassVar[str]

    def __init__(self, location: Location, engine: Engine) -> None:
        self.location = location
        self.engine = engine
        self.closed_to_writing: StoreError | None = None
        self.made_for: str | None = None
        self._process = os.getpid()
        self._closed = False

    def __str__(self) -> str:
        return str(self.location)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One reading transaction: all that is read in it is of one moment.

        Raises:
            StoreError: The database can't be read.
        """
        self.check_usable()
        with self.explained(), self._reading() as connection:
            yield connection

    @abstractmethod
    def fetch(self, sql: str, parameters: Sequence[Any]) -> Fetched:
        """What one statement reads, in the words of the driver: a transaction by itself.

        Raises:
            StoreError: The database can't be read.
        """

    @contextmanager
    def write(self, *, synced: bool = True) -> Iterator[Connection]:
        """One writing transaction, committed at the end or rolled back by an exception.

        Args:
            synced: It survives a power cut. Otherwise a power cut, but no kill, may undo it if
                nothing was written since that does survive.

        Raises:
            Upgraded: Another program has upgraded the schema.
            StoreError: The database can't be written.
        """
        self.check_usable()
        if self.closed_to_writing:
            raise self.closed_to_writing
        with self.explained(), self._writing(synced=synced) as connection:
            yield connection

    def close(self) -> None:
        """Let go of files and connections. Twice is as good as once."""
        self._closed = True
        self.engine.dispose()

    def persevere(self, act: Callable[[], T]) -> T:
        """Do something made of whole transactions; again, where the database asks for that."""
        return act()

    @abstractmethod
    def error(self, cause: BaseException | None) -> StoreError | None:
        """The error to raise for what the driver raised; None: that was a mistake of ours."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Connection]: ...

    @abstractmethod
    def _writing(self, *, synced: bool) -> AbstractContextManager[Connection]: ...

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what the database says into one sentence and a hint.

        Raises:
            StoreError: What was done inside failed because the database can't be used.
        """
        try:
            yield
        except Exception as error:
            told = self.error(error.orig if isinstance(error, DBAPIError) else error)
            if told is None:
                raise
            raise told from error

    def _see_that_schema_is(self, version: str | None) -> None:
        if version != self.made_for:
            # For good: what is written would be half of one version and half of another.
            self.closed_to_writing = Upgraded(
                f"The store {self} was upgraded to schema {version} meanwhile, "
                f"and this mediahost needs {self.made_for}",
                "Start the newer mediahost. It takes up the jobs that this one had in hand.",
            )
            raise self.closed_to_writing

    def check_usable(self) -> None:
        """Make sure that this may still be used.

        Raises:
            StoreError: It is closed, or not what was opened any more.
        """
        if self._closed:
            raise StoreError(f"The store {self} is closed")
        # Neither SQLite's locks nor a server's connections survive a fork.
        if self._process != os.getpid():
            raise StoreError(
                f"The store {self} was opened by another process", "Open it again after a fork."
            )


class _OnDatabase(Protocol):
    _database: Database


S = TypeVar("S", bound=_OnDatabase)


def lasting(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """A method that outlasts a restart of the server: it is called again when that is back.

    Its transactions were either committed or not at all, and the database knows which. It must
    not use up its arguments, such as iterators.
    """

    @wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._database.persevere(lambda: method(self, *args, **kwargs))

    return call
