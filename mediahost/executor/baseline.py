"""The baseline: what of a worker's process every attempt finds the same, whatever ran before it."""

import faulthandler
import locale
import logging
import os
import signal
import socket
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class _Logger:
    """How a logger is set."""

    logger: logging.Logger
    level: int
    disabled: bool
    propagate: bool
    handlers: tuple[logging.Handler, ...]
    filters: tuple[Any, ...]

    @classmethod
    def of(cls, logger: logging.Logger) -> "_Logger":
        return cls(
            logger,
            logger.level,
            logger.disabled,
            logger.propagate,
            tuple(logger.handlers),
            tuple(logger.filters),
        )

    def restore(self) -> None:
        if _Logger.of(self.logger) == self:
            return
        self.logger.setLevel(self.level)
        self.logger.disabled = self.disabled
        self.logger.propagate = self.propagate
        self.logger.handlers[:] = self.handlers
        self.logger.filters[:] = self.filters


class Baseline:
    """Working folder, umask, signals, timers, logging, streams, locale, environment and the like.

    Taken once the plugins are loaded, restored before each attempt while no other one runs. What
    an action changes of a library of its own is not known here.
    """

    def __init__(self) -> None:
        self._folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._umask = os.umask(0)
        os.umask(self._umask)
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._handlers = {
            number: handler
            for number in signal.valid_signals()
            if (handler := signal.getsignal(number)) is not None
        }
        names = (None, "mediahost", "mediahost.action", "mediahost.executor")
        self._loggers = [_Logger.of(logging.getLogger(name)) for name in names]
        self._streams = sys.stdin, sys.stdout, sys.stderr
        self._path = list(sys.path)
        self._warnings = list(warnings.filters)
        self._locale = locale.setlocale(locale.LC_ALL)
        self._recursion = sys.getrecursionlimit()
        self._environ = dict(os.environ)

    def restore(self, variables: Mapping[str, str]) -> None:
        """Have all of it as it was, with the variables of the next attempt. On the main thread."""
        self._restore_process()
        self._restore_signals()
        logging.disable(logging.NOTSET)
        for each in self._loggers:
            each.restore()
        sys.stdin, sys.stdout, sys.stderr = self._streams
        if sys.path != self._path:
            sys.path[:] = self._path
        if warnings.filters != self._warnings:
            warnings.filters[:] = self._warnings  # type: ignore[index]
        if locale.setlocale(locale.LC_ALL) != self._locale:
            locale.setlocale(locale.LC_ALL, self._locale)
        if sys.getrecursionlimit() != self._recursion:
            sys.setrecursionlimit(self._recursion)
        socket.setdefaulttimeout(None)
        wanted = {**self._environ, **variables}
        if dict(os.environ) != wanted:
            self._restore_environ(wanted)

    def add(self, variables: Mapping[str, str]) -> None:
        """Have these variables too, while other attempts run."""
        os.environ.update(variables)

    def _restore_process(self) -> None:
        with suppress(OSError):  # a plugin has closed what it should not
            os.fchdir(self._folder)
        os.umask(self._umask)
        if not faulthandler.is_enabled():
            with suppress(OSError, ValueError, AttributeError):  # no stderr any more
                faulthandler.enable()

    def _restore_signals(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        for number, handler in self._handlers.items():
            if signal.getsignal(number) != handler:
                with suppress(OSError):
                    signal.signal(number, handler)

    @staticmethod
    def _restore_environ(wanted: Mapping[str, str]) -> None:
        for name in set(os.environ) - set(wanted):
            del os.environ[name]
        os.environ.update(wanted)
