"""The context: a running action's only line outward."""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mediahost.errors import InvalidMedia, JobCancelled
from mediahost.model.info import MediaInfo
from mediahost.model.media import MediaFile
from mediahost.model.paths import display
from mediahost.model.result import Result

T = TypeVar("T")

REPORT_EVERY_S = 0.1
POLL_S = 0.05
TERMINATE_GRACE_S = 2.0


def _no_report(fraction: float, message: str) -> None:
    pass


def _never() -> bool:
    return False


def _no_probe(_path: Path) -> MediaInfo | None:
    return None


def _load_anew(load: Callable[..., Any], *args: Any) -> Any:
    return load(*args)


@dataclass(frozen=True)
class Context:
    """What an action may ask of its host while it runs.

    Attributes:
        staging: Where `workdir` is made when it is first asked for: most analyzers never do, and
            making and removing a folder costs more than all else that surrounds a short job.
        inputs: Results of the steps that this one follows, by step name.
        log: Goes to the job's log.
        threads: How many threads a decoder or encoder may use.
    """

    staging: str | os.PathLike[str]
    inputs: Mapping[str, Result] = field(default_factory=dict)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("mediahost.action"))
    threads: int = 1
    report: Callable[[float, str], None] = field(default=_no_report, repr=False)
    cancelled: Callable[[], bool] = field(default=_never, repr=False)
    find_info: Callable[[Path], MediaInfo | None] = field(default=_no_probe, repr=False)
    find_resource: Callable[..., Any] = field(default=_load_anew, repr=False)
    program_output: Callable[[], AbstractContextManager[int | None]] = field(
        default=nullcontext, repr=False
    )
    _last_report: list[float] = field(default_factory=lambda: [0.0], repr=False)

    @property
    def workdir(self) -> Path:
        """An empty folder of this attempt's own: the only place to write."""
        workdir = Path(self.staging)
        workdir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return workdir

    def progress(self, fraction: float, message: str = "") -> None:
        """Say how far the action is, as often as you like, and stop here if it was cancelled.

        Args:
            fraction: 0 to 1; values outside are clipped, NaN is 0.
            message: What it is doing, in a few words.

        Raises:
            JobCancelled: Somebody cancelled the job.
        """
        self.checkpoint()
        now = time.monotonic()
        if now - self._last_report[0] >= REPORT_EVERY_S or fraction >= 1:
            self._last_report[0] = now
            # max(0.0, nan) is 0.0, max(nan, 0.0) is not.
            self.report(min(max(0.0, fraction), 1.0), message)

    def track(self, items: Iterable[T], total: float, message: str = "") -> Iterator[T]:
        """Go through `items`, of which there are `total`, with progress and checkpoints.

        Raises:
            JobCancelled: Somebody cancelled the job.
        """
        for done, item in enumerate(items):
            self.progress(done / total if total else 0.0, message)
            yield item

    def checkpoint(self) -> None:
        """Stop here if the job was cancelled.

        Raises:
            JobCancelled: Somebody cancelled the job.
        """
        if self.cancelled():
            raise JobCancelled

    def probe(self, media: MediaFile) -> MediaInfo:
        """Container, duration, streams and tags of the media file, from any plugin that can tell.

        Raises:
            InvalidMedia: No installed plugin can read the file.
        """
        info = self.find_info(media.path)
        if info is None:
            raise InvalidMedia(
                f"No plugin can tell what is in {display(media.path.name)}",
                "Install mediahost-av, which reads audio and video.",
            )
        return info

    def resource(self, load: Callable[..., T], *args: Any) -> T:
        """`load(*args)`, such as a model: loaded once per worker and kept for later jobs."""
        value: T = self.find_resource(load, *args)
        return value

    def run(self, argv: Sequence[str | os.PathLike[str]]) -> subprocess.CompletedProcess[str]:
        """Run a program that ends with the job; what it writes to stderr goes to the job's log.

        Returns:
            The finished process, with its standard output as text.

        Raises:
            JobCancelled: The job was cancelled; the program is ended, first gently.
            subprocess.CalledProcessError: The program failed.
            FileNotFoundError: There is no such program.
        """
        with (
            self.program_output() as stderr,
            subprocess.Popen(
                [os.fspath(part) for part in argv],
                cwd=self.workdir,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                errors="replace",
            ) as process,
        ):
            try:
                output = self._wait_for(process)
            except BaseException:
                _end(process)
                raise
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, list(argv), output)
        return subprocess.CompletedProcess(list(argv), 0, output)

    def _wait_for(self, process: "subprocess.Popen[str]") -> str:
        while True:
            with suppress(subprocess.TimeoutExpired):
                return process.communicate(timeout=POLL_S)[0]
            self.checkpoint()


def _end(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(TERMINATE_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
