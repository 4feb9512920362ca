"""Whisper's computations, which can't be interrupted, as something that needn't be waited for."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

CALLS = frozenset({"align", "detect_language", "generate"})
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

    def encode(self, features: Any, to_cpu: bool = False) -> Any:  # noqa: FBT002 - as CTranslate2 has it
        """What the model hears in pieces of sound.

        On a CPU they are computed one by one: all cores are busy with one already, and each takes
        a hundred megabytes meanwhile.
        """
        if self._model.device != "cpu" or features.shape[0] == 1:
            return self._heeded(self._model.encode, features, to_cpu=to_cpu)
        import ctranslate2  # noqa: PLC0415 - only a worker needs them
        import numpy as np  # noqa: PLC0415

        encoded = [
            np.array(self._heeded(self._model.encode, ctranslate2.StorageView.from_array(one)))
            for one in np.split(np.array(features), features.shape[0])
        ]
        return ctranslate2.StorageView.from_array(np.concatenate(encoded))

    def _heeded(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        checkpoint = _checkpoint.get()
        checkpoint()
        result = self._thread.submit(call, *args, **options)
        while not wait([result], LOOK_S).done:
            checkpoint()
        return result.result()
