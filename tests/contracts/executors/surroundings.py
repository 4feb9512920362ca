"""A plugin that looks at what surrounds an attempt, and leaves all of it changed."""

import locale
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from mediahost import Analyzer, Context, MediaAnalysisResult, MediaFile, hookimpl


def _seen() -> dict[str, Any]:
    umask = os.umask(0)
    os.umask(umask)
    return {
        "cwd": str(Path.cwd()),
        "umask": umask,
        "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
        "blocked": sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ()))),
        "timer": signal.getitimer(signal.ITIMER_REAL)[0] > 0,
        "root": logging.getLogger().level,
        "handlers": len(logging.getLogger().handlers),
        "disabled": logging.getLogger().manager.disable,
        "stdout": type(sys.stdout).__name__,
        "path": list(sys.path),
        "warnings": len(warnings.filters),
        "locale": locale.setlocale(locale.LC_ALL),
        "recursion": sys.getrecursionlimit(),
        "timeout": socket.getdefaulttimeout(),
        "environ": {
            name: value
            for name, value in os.environ.items()
            if name not in {"TMPDIR", "TMP", "TEMP"}
        },
    }


class Look(Analyzer, name="faults.look"):
    """Say what is there."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Look."""
        files = sorted(path.name for path in Path(tempfile.gettempdir()).iterdir())
        context.log.warning("I said this")
        return MediaAnalysisResult(
            metadata={
                "seen": _seen(),
                "pid": os.getpid(),
                "tmp": tempfile.gettempdir(),
                "in": files,
            }
        )


class Keyed(Look, name="faults.keyed", variables=["SERVICE_KEY", "SERVICE_OPTION_*"]):
    """The same, with variables of its own."""


class Upset(Analyzer, name="faults.upset"):
    """Change all of it."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Upset."""
        os.chdir("/")
        os.umask(0o777)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
        signal.setitimer(signal.ITIMER_REAL, 60)
        logging.shutdown()
        logging.disable(50)
        logging.getLogger().handlers.clear()
        logging.getLogger().setLevel(logging.CRITICAL)
        logging.getLogger("mediahost.action").disabled = True
        logging.getLogger("mediahost.action").propagate = False
        sys.path.insert(0, "/nowhere")
        warnings.simplefilter("error")
        locale.setlocale(locale.LC_ALL, "C")
        sys.setrecursionlimit(5000)
        socket.setdefaulttimeout(0.1)
        os.environ["LEFT"] = "1"
        os.environ["HOME"] = "/nowhere"
        del os.environ["PATH"]
        os.umask(0)
        Path(tempfile.mkdtemp(), "left").write_text("left")
        Path(tempfile.mkstemp()[1]).write_text("left")
        return MediaAnalysisResult(metadata={"pid": os.getpid()})


class Thread(Analyzer, name="faults.thread"):
    """Leave a thread behind."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Go on."""
        threading.Thread(target=_go_on).start()
        return MediaAnalysisResult(metadata={"pid": os.getpid()})


class Die(Analyzer, name="faults.die_with_files"):
    """Die with temporary files about."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Die."""
        (Path(tempfile.mkdtemp()) / "left").write_text("left")
        os._exit(3)


def _go_on() -> None:
    while True:
        time.sleep(0.02)
        print("a thread was left", flush=True)  # noqa: T201 - that is the fault


@hookimpl
def mediahost_register_actions() -> list[Any]:
    """All of them."""
    return [Look, Keyed, Upset, Thread, Die]
