"""Keys that were pressed before the rows that they act on are there."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")


class Awaiting:
    """What is pressed while a list is being read is done as soon as it is there."""

    _awaited = False
    _early: list[Callable[[], object]]

    def await_rows(self) -> None:
        """Another list is coming: what is pressed from now on is meant for that one."""
        if not self._awaited:
            self._awaited = True
            self._early = []

    def rows_are_there(self) -> None:
        """The list has come, or it won't: do what was pressed meanwhile."""
        if self._awaited:
            self._awaited = False
            for act in self._early:
                self.when_there(act)  # one of them may ask for more rows

    def when_there(self, act: Callable[[], object]) -> None:
        """Do this at once if the rows are there, else as soon as they come."""
        if self._awaited:
            self._early.append(act)
        else:
            act()


class _Waits(Protocol):
    def when_there(self, act: Callable[[], object]) -> None: ...


W = TypeVar("W", bound=_Waits)


def with_rows(action: Callable[Concatenate[W, P], Any]) -> Callable[Concatenate[W, P], None]:
    """An action that needs the rows: it is put off until they are there."""

    @wraps(action)
    def acted(self: W, /, *args: P.args, **kwargs: P.kwargs) -> None:
        self.when_there(partial(action, self, *args, **kwargs))

    return acted
