"""Resources: what a worker keeps loaded for later jobs, such as a model."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from threading import RLock
from typing import Any

Key = tuple[Callable[..., Any], tuple[Any, ...]]

_logger = logging.getLogger("mediahost.executor")

# Models are hundreds of megabytes each, and each worker keeps its own.
KEPT = 4


class Resources:
    """Loaded once, kept for later attempts; the one unused for longest goes first.

    What the running attempt has asked for is never closed under its hands, however many
    resources that are. A value with a `close` method is closed when it goes.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._values: OrderedDict[Key, Any] = OrderedDict()
        self._in_use: set[Key] = set()
        # Reentrant: a resource may be made of another one.
        self._lock = RLock()
        self.loads = 0

    def find(self, load: Callable[..., Any], *args: Any) -> Any:
        """`load(*args)`, from an earlier call where there was one.

        Raises:
            TypeError: An argument can't be hashed, so there is no telling it from others.
        """
        key = (load, args)
        with self._lock:
            if key not in self._values:
                self._make_room(self._kept - 1)
                self._values[key] = load(*args)
                self.loads += 1
            self._values.move_to_end(key)
            self._in_use.add(key)
            return self._values[key]

    def names(self) -> list[str]:
        """What is loaded, one line each."""
        if not self._values:
            return []
        with self._lock:
            return [name_of(*key) for key in self._values]

    def release(self) -> None:
        """The attempt is over: what it used may go when its turn comes."""
        if self._in_use:
            with self._lock:
                self._in_use.clear()
                self._make_room(self._kept)

    def close(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._in_use.clear()
            self._make_room(0)

    def _make_room(self, most: int) -> None:
        for key in list(self._values):
            if len(self._values) <= most:
                return
            if key not in self._in_use:
                close_value(self._values.pop(key), name_of(*key))


def name_of(load: Callable[..., Any], args: tuple[Any, ...]) -> str:
    """A resource in one line."""
    name = getattr(load, "__qualname__", type(load).__name__)
    return f"{load.__module__}.{name}({', '.join(map(str, args))})"


def close_value(value: Any, name: str) -> None:
    """Let go of a resource; whether it likes that or not."""
    close = getattr(value, "close", None)
    if callable(close):
        try:
            close()
        except Exception:
            _logger.exception("%s could not be closed", name)
