"""Resources: what a worker keeps loaded for later attempts, such as a model."""

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable
from threading import RLock
from typing import Any

from mediahost.errors import JobCancelled

Key = tuple[Callable[..., Any], tuple[Any, ...]]

_logger = logging.getLogger("mediahost.executor")

# Models are hundreds of megabytes each, and each worker keeps its own.
KEPT = 4
# How often one that waits for another's loading looks whether it is still wanted.
POLL_S = 0.1


class Resources:
    """Loaded once, kept for later attempts; the one unused for longest goes first.

    While one is being loaded, those who want the same one wait, and nobody else. What any attempt
    under way has asked for is never closed under its hands, however many resources that are. A
    value with a `close` method is closed when it goes.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._values: OrderedDict[Key, Any] = OrderedDict()
        self._users: Counter[Key] = Counter()
        # Reentrant, in case a resource is made of another one.
        self._loading: dict[Key, RLock] = {}
        self._lock = RLock()
        self.loads = 0

    def borrower(self, cancelled: Callable[[], bool] | None = None) -> "Borrower":
        """What an attempt asks for its resources, and those that come after it may ask too.

        Args:
            cancelled: Whether it waits in vain for another to load one; None: no other could.
        """
        return Borrower(self, cancelled or (lambda: False))

    def names(self) -> list[str]:
        """What is loaded, one line each."""
        if not self._values:
            return []
        with self._lock:
            return [name_of(*key) for key in self._values]

    def close(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._users.clear()
            self._make_room(0)

    def lend(self, key: Key, cancelled: Callable[[], bool]) -> Any:
        """The value, loaded unless it is there, until it is given back.

        Raises:
            JobCancelled: It was, while another attempt was loading it.
        """
        with self._lock:
            self._users[key] += 1
            loading = self._loading.setdefault(key, RLock())
        try:
            _wait_for(loading, cancelled)
            try:
                return self._found(key)
            finally:
                loading.release()
        except BaseException:
            self.give_back([key])
            raise

    def _found(self, key: Key) -> Any:
        load, args = key
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            self._make_room(self._kept - 1)
        value = load(*args)
        with self._lock:
            self._values[key] = value
            self.loads += 1
        return value

    def give_back(self, keys: list[Key]) -> None:
        """What an attempt had may go when its turn comes."""
        with self._lock:
            for key in keys:
                self._users[key] -= 1
                if self._users[key] <= 0:
                    del self._users[key]
                    self._loading.pop(key, None)
            self._make_room(self._kept)

    def _make_room(self, most: int) -> None:
        for key in list(self._values):
            if len(self._values) <= most:
                return
            if key not in self._users:
                close_value(self._values.pop(key), name_of(*key))


class Borrower:
    """One attempt's side of it."""

    def __init__(self, shared: Resources, cancelled: Callable[[], bool]) -> None:
        self._shared = shared
        self._cancelled = cancelled
        self._lock = RLock()
        self._held: dict[Key, Any] = {}

    def find(self, load: Callable[..., Any], *args: Any) -> Any:
        """`load(*args)`, from an earlier call where there was one, whoever made it.

        Raises:
            TypeError: An argument can't be hashed, so there is no telling it from others.
        """
        key = (load, args)
        with self._lock:
            if key not in self._held:
                self._held[key] = self._shared.lend(key, self._cancelled)
            return self._held[key]

    def release(self) -> None:
        """The attempt is over."""
        if self._held:
            with self._lock:
                held, self._held = list(self._held), {}
            self._shared.give_back(held)


def _wait_for(loading: RLock, cancelled: Callable[[], bool]) -> None:
    while not loading.acquire(timeout=POLL_S):
        if cancelled():
            raise JobCancelled


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
