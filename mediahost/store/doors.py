"""Two doors to one implementation: called on a `Session`, awaited on an `AsyncSession`.

A repository's method is written once, against a session. `door` runs it there and then, or by
`AsyncSession.run_sync`, as the repository's session has it.
"""

from collections.abc import Awaitable, Callable
from functools import update_wrapper
from inspect import signature
from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

S_co = TypeVar("S_co", bound="Session | AsyncSession", covariant=True)
P = ParamSpec("P")
R = TypeVar("R")


class Repository(Generic[S_co]):
    """What works on one session. It flushes; whoever has the session commits.

    Args:
        session: A `Session`, to call the methods, or an `AsyncSession`, to await them.
    """

    def __init__(self, session: S_co) -> None:
        self.session = session


class door(Generic[P, R]):  # noqa: N801 - a decorator
    """Makes `method(self, session, ...)` one that is called or awaited without the session."""

    def __init__(self, method: Callable[Concatenate[Any, Session, P], R]) -> None:
        self._method = method
        # What asks a method for its name or what it takes is to be answered as by any other.
        update_wrapper(self, method)
        asked = signature(method)
        given = [each for name, each in asked.parameters.items() if name != "session"]
        self.__signature__ = asked.replace(parameters=given)

    def __call__(self, repository: Repository[Any], *args: P.args, **kwargs: P.kwargs) -> Any:
        """The method, of whichever repository."""
        session = repository.session
        if isinstance(session, Session):
            return self._method(repository, session, *args, **kwargs)
        return session.run_sync(lambda inner: self._method(repository, inner, *args, **kwargs))

    @overload
    def __get__(self, repository: None, owner: type) -> Self: ...
    @overload
    def __get__(self, repository: Repository[Session], owner: type) -> Callable[P, R]: ...
    @overload
    def __get__(
        self, repository: "Repository[AsyncSession]", owner: type
    ) -> Callable[P, Awaitable[R]]: ...
    def __get__(self, repository: Repository[Any] | None, owner: type) -> Any:
        """The method, for the repository's kind of session."""
        return self if repository is None else MethodType(self, repository)
