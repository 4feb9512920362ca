"""Shared output: what attempts on threads of one process write, each to its own job's log."""

import io
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from mediahost.threads import GuardedThread

LINE = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
_READ_BYTES = 1 << 16
# What a program has written by its end is taken over; one that it left running may hold the pipe.
_LAST_WORDS_S = 1.0

_writing: ContextVar["AttemptLog | None"] = ContextVar("writing", default=None)


class AttemptLog(io.TextIOBase):
    """The job's log as one attempt writes it, line by line.

    Args:
        send: Takes whole lines, or the rest at the end.
    """

    def __init__(self, send: Callable[[str], None]) -> None:
        super().__init__()
        self._send = send
        self._lock = threading.Lock()
        self._line = ""
        handler = logging.StreamHandler(self)
        handler.setFormatter(LINE)
        # Of this attempt's own, found by nobody else: it is right from any thread.
        self.logger = logging.Logger("mediahost.action")  # noqa: LOG001 - not to be shared
        self.logger.addHandler(handler)

    def write(self, text: str) -> int:
        """Write; whole lines leave at once."""
        with self._lock:
            lines, end, self._line = (self._line + text).rpartition("\n")
            if end:
                self._send(lines + end)
        return len(text)

    def flush(self) -> None:
        """Nothing: a line leaves when it is whole, the rest with `finish`."""

    def finish(self) -> None:
        """Send what is left of a line."""
        with self._lock:
            rest, self._line = self._line, ""
            if rest:
                self._send(rest + "\n")

    @contextmanager
    def listening(self) -> Iterator[None]:
        """What this thread prints goes here."""
        before = _writing.set(self)
        try:
            yield
        finally:
            _writing.reset(before)

    @contextmanager
    def pipe(self) -> Iterator[int]:
        """A descriptor for a program: what it writes goes here."""
        near, far = os.pipe()
        pump = GuardedThread(partial(self._pump, near), name="pump")
        pump.start()
        try:
            yield far
        finally:
            os.close(far)
            pump.join(_LAST_WORDS_S)

    def _pump(self, near: int) -> None:
        with open(near, "rb", buffering=0) as source:
            while data := source.read(_READ_BYTES):
                self.write(data.decode(errors="backslashreplace"))


class Divided(io.TextIOBase):
    """Standard output of a process whose threads run attempts: each writes to its own log.

    What comes from elsewhere, such as a thread of a library's own, goes where it always went.

    Args:
        own: The stream of the process.
    """

    def __init__(self, own: io.TextIOBase | io.TextIOWrapper) -> None:
        super().__init__()
        self._own = own

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As the process has it."""
        return "utf-8"

    @property
    def buffer(self) -> object:
        """For bytes, which nobody divides."""
        return getattr(self._own, "buffer", None)

    def fileno(self) -> int:
        """For programs and C libraries, whose output nobody divides either."""
        return self._own.fileno()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Write to the log of the attempt that this thread runs, if it runs one."""
        return (_writing.get() or self._own).write(text)

    def writelines(self, lines: Iterable[str]) -> None:  # type: ignore[override]
        """Write several."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Pass on what is waiting."""
        self._own.flush()

    def close(self) -> None:
        """Not: it is everybody's."""


def divide_output() -> None:
    """Have `sys.stdout` and `sys.stderr` tell attempts apart."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None:
            setattr(sys, name, Divided(stream))
