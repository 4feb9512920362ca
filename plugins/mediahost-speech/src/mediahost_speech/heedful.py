"""Whisper's computations, which can't be interrupted, as something that needn't be waited for."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

CALLS = frozenset({"align", "detect_language", "encode", "generate"})
LOOK_S = 0.1

_checkpoint: ContextVar[Callable[[], None]] = ContextVar("checkpoint", default=lambda: None)


@contextmanager
def heeding(checkpoint: Callable[[], None]) -> Iterator[None]:
    """Within this, computations of any `Heedful` call the checkpoint ten times a second."""
    before = _checkpoint.set(checkpoint)
    try:
        yield
    finally:
        _checkpoint.reset(before)


class Heedful:
    """Stands in for CTranslate2's model, whose calls take seconds and hear of no cancel.

    They are made on a thread of its own. A call that is given up goes on to its end there, and the
    next one waits for it.

    Args:
        model: What computes.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._thread = ThreadPoolExecutor(1, "whisper")

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._model, name)
        return partial(self._heeded, found) if name in CALLS else found

    def _heeded(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        checkpoint = _checkpoint.get()
        checkpoint()
        result = self._thread.submit(call, *args, **options)
        while not wait([result], LOOK_S).done:
            checkpoint()
        return result.result()
