"""`mediahost jobs log`: what attempts have written, also while they write."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Self

import typer

from mediahost.cli.jobs import AsJson, OneJob, find
from mediahost.cli.output import print_json, print_text
from mediahost.cli.state import state
from mediahost.errors import UnknownName
from mediahost.model.job import JobView, Token
from mediahost.model.paths import path_to_url

if TYPE_CHECKING:
    from mediahost.ports import Store

POLL_S = 0.2
PIECE_BYTES = 1 << 16


def log(
    *,
    job: OneJob,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")
    ] = False,
    attempt: Annotated[
        int | None, typer.Option(help="Of this attempt; the last one unless given.", min=1)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what an attempt has written: its output, its log, its traceback."""
    with state.store() as store:
        view = find(store, job)
        if attempt is not None and attempt > view.attempt:
            raise UnknownName(
                "attempt", str(attempt), (), f"Job {view.number} had {view.attempt} so far."
            )
        path = _path(view, attempt or view.attempt)
        if as_json:
            text = path.read_bytes().decode(errors="replace") if path.exists() else ""
            number = attempt or view.attempt
            print_json({"attempt": number, "log": path_to_url(path), "text": text})
        elif follow:
            _follow(store, view, attempt)
        elif not _print_from(path):
            typer.echo(f"Job {view.number} has written nothing.", err=True)


def _follow(store: "Store", view: JobView, attempt: int | None) -> None:
    """Print as it is written; of the attempts that follow too, unless one was asked for."""
    shown = attempt or max(view.attempt, 1)
    with _Tail(_path(view, shown)) as tail:
        while True:
            now = store.get_jobs([view.job_id]).get(view.job_id)
            over = now is None or now.status.final
            newer = now is not None and now.attempt > shown
            # Asked before reading: what was written until then is read.
            tail.print_more()
            if over and not newer:
                return
            if newer and attempt is not None:
                return
            if newer:
                shown += 1
                tail.turn_to(_path(view, shown))
            else:
                time.sleep(POLL_S)


class _Tail:
    """The end of a file that may not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def turn_to(self, path: Path) -> None:
        """Another file, from its beginning."""
        self._close()
        self._path = path

    def print_more(self) -> None:
        """Print what was written since."""
        if self._file is None and self._path.exists():
            self._file = self._path.open("rb")
        if (file := self._file) is not None:
            _write(iter(lambda: file.read(PIECE_BYTES), b""))

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _print_from(path: Path) -> bool:
    """Print a file; whether there was anything in it."""
    if not (path.exists() and path.stat().st_size):
        return False
    with path.open("rb") as file:
        _write(iter(lambda: file.read(PIECE_BYTES), b""))
    return True


def _write(pieces: Iterator[bytes]) -> None:
    for piece in pieces:
        text = piece.decode(errors="replace")
        print_text(text)
    sys.stdout.flush()


def _path(view: JobView, attempt: int) -> Path:
    from mediahost.host.artifacts import log_path

    return log_path(state.settings().data_dir, Token(view.job_id, attempt))
