"""Whether the form fields of a document can be loaded: tried in a process that may be ended.

PDFium reads all fields of a document before it draws one, and can't be interrupted. In a document
of 2 kB whose fields contain themselves that takes minutes.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from mediahost import Context
from mediahost_documents.password import VARIABLE

LIMIT_S = 10.0
_POLL_S = 0.05


def loads_in_time(path: Path, password: str, page: int, context: Context) -> bool:
    """Whether PDFium loads the fields of a document without trouble.

    Args:
        path: The document.
        password: Opens it.
        page: A page with a field on it, from 1.
        context: Asked whether the job was cancelled.

    Raises:
        JobCancelled: It was.
    """
    environ = {**os.environ, VARIABLE: password}
    command = [sys.executable, "-m", __name__, os.fspath(path.absolute()), str(page)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environ, stdin=quiet, stderr=quiet) as process:
        end = time.monotonic() + LIMIT_S
        try:
            while process.poll() is None and time.monotonic() < end:
                context.checkpoint()
                time.sleep(_POLL_S)
        finally:
            process.kill()
        return process.wait() == 0


def _load(path: str, page: int) -> None:
    from pypdfium2 import PdfDocument  # noqa: PLC0415 - only this process needs it

    document = PdfDocument(path, password=os.environ.get(VARIABLE) or None)
    document.init_forms()
    document[page - 1].close()


if __name__ == "__main__":
    _load(sys.argv[1], int(sys.argv[2]))
