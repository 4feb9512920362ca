"""Log lines on standard error: short, without tracebacks unless they are asked for."""

import logging
import sys
from types import TracebackType

from mediahost.model.paths import display


class _StderrHandler(logging.Handler):
    """Writes to what standard error is now: progress bars put a stream of theirs in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        # As every handler: a line that can't be written is lost, and ends nothing else.
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 - logging's own way
            self.handleError(record)


class _ShortFormatter(logging.Formatter):
    def formatException(  # noqa: N802 - logging's own name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        return f"  {type(ei[1]).__name__}: {display(str(ei[1]))} (--debug shows more)"


def log_to_stderr(*, debug: bool) -> None:
    """Send log lines to standard error: all with tracebacks to debug, else errors in short."""
    handler = _StderrHandler()
    if debug:
        handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    else:
        handler.setFormatter(_ShortFormatter("mediahost: %(message)s"))
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR, handlers=[handler])
