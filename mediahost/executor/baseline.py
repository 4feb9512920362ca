"""The baseline: what of a worker's process every attempt finds the same, whatever ran before it."""

import faulthandler
import locale
import logging
import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

# Those that a program may handle, and that somebody sends. All 64 take as long to ask for as all
# else here together.
_SIGNALS = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2),
    *(signal.SIGABRT, signal.SIGALRM, signal.SIGCHLD, signal.SIGCONT, signal.SIGPIPE),
    *(signal.SIGTSTP, signal.SIGVTALRM, signal.SIGPROF, signal.SIGWINCH),
)

# What `signal` wraps into enums, which takes longer than all else here together.
_handler_of: Callable[[int], Any] = import_module("_signal").getsignal


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
        logger = self.logger
        if logger.level != self.level:
            logger.setLevel(self.level)
        logger.disabled = self.disabled
        logger.propagate = self.propagate
        logger.handlers[:] = self.handlers
        logger.filters[:] = self.filters


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
            number: handler for number in _SIGNALS if (handler := _handler_of(number)) is not None
        }
        names = (None, "mediahost", "mediahost.action", "mediahost.executor")
        self._loggers = [_Logger.of(logging.getLogger(name)) for name in names]
        self._streams = sys.stdin, sys.stdout, sys.stderr
        self._path = list(sys.path)
        self._warnings = list(warnings.filters)
        self._locale = locale.setlocale(locale.LC_ALL)
        self._recursion = sys.getrecursionlimit()
        self._environ = dict(os.environ)
        self._variables: Mapping[str, str] = {}
        self._wanted = _encoded(self._environ)

    def restore(self, variables: Mapping[str, str]) -> None:
        """Have all of it as it was, with the variables of the next attempt. On the main thread."""
        self._restore_process()
        self._restore_signals()
        if logging.root.manager.disable:
            logging.disable(logging.NOTSET)  # it goes through all loggers
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
        if variables != self._variables:
            self._variables = variables
            self._wanted = _encoded({**self._environ, **variables})
        # As bytes: to decode all of them for each attempt takes longer than a short one.
        if os.environ._data != self._wanted:  # type: ignore[attr-defined]  # noqa: SLF001
            self._restore_environ({**self._environ, **variables})

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
            if _handler_of(number) != handler:
                with suppress(OSError):
                    signal.signal(number, handler)

    @staticmethod
    def _restore_environ(wanted: Mapping[str, str]) -> None:
        for name in set(os.environ) - set(wanted):
            del os.environ[name]
        os.environ.update(wanted)


def _encoded(environ: Mapping[str, str]) -> dict[bytes, bytes]:
    return {os.fsencode(name): os.fsencode(value) for name, value in environ.items()}
