"""One action on one file, through the same door as in production."""

import atexit
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mediahost.errors import UsageError
from mediahost.hashing import DEFAULT_ALGORITHM
from mediahost.model.info import MediaInfo
from mediahost.model.media import MediaFile
from mediahost.model.result import Result, result_from_json
from mediahost.plugin.action import Action
from mediahost.plugin.attempt import run_attempt
from mediahost.plugin.context import Context
from mediahost.plugin.registry import Registry
from mediahost.testing.action_run import ActionRun


@dataclass(frozen=True)
class _WatchedContext(Context):
    """Keeps what the action says, before it is clipped and thinned out."""

    said: list[tuple[float, str]] = field(default_factory=list, repr=False)

    def progress(self, fraction: float, message: str = "") -> None:
        self.said.append((fraction, message))
        super().progress(fraction, message)


@dataclass
class Cancellation:
    """Counts checkpoints, and cancels at one of them and all after it."""

    after: int | None
    checkpoints: int = 0

    def __call__(self) -> bool:
        """Whether the job is cancelled, asked at a checkpoint."""
        self.checkpoints += 1
        return self.reached

    @property
    def reached(self) -> bool:
        """Whether the action came to the checkpoint where it is cancelled."""
        return self.after is not None and self.checkpoints >= self.after


class _LogLines(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def run_action(
    action: Action,
    media: MediaFile | str | os.PathLike[str],
    *,
    inputs: Mapping[str, Result | ActionRun] | None = None,
    workdir: str | os.PathLike[str] | None = None,
    cancel_after: int | None = None,
    threads: int = 1,
    info: MediaInfo | None = None,
    registry: Registry | None = None,
) -> ActionRun:
    """Run an action on a media file as a worker would: what a host refuses is refused here.

    Args:
        action: The action with its config.
        media: A media file or its path.
        inputs: Results of the steps that this one follows, by step name.
        workdir: Where the action writes; made if need be. None: a temporary folder, removed when
            the program ends, or at once if the action fails.
        cancel_after: Cancel the job at the so-manieth checkpoint, counted from 1; `progress` is
            one too. None: never.
        threads: How many threads a decoder or encoder may use.
        info: What `context.probe` says. None: what the installed plugins say.
        registry: The plugins that probe media and wrap actions. None: all that are installed.

    Raises:
        JobCancelled: It was cancelled.
        UsageError: The action doesn't work on this kind of media file.
        PluginError: What the action returned is no valid result.
        Exception: Whatever the action raised.
    """
    media = media if isinstance(media, MediaFile) else MediaFile.at(media)
    return attempt(
        action,
        media,
        Cancellation(cancel_after),
        inputs=inputs,
        workdir=workdir,
        threads=threads,
        info=info,
        registry=registry,
    )


def attempt(
    action: Action,
    media: MediaFile,
    cancellation: Cancellation,
    *,
    inputs: Mapping[str, Result | ActionRun] | None = None,
    workdir: str | os.PathLike[str] | None = None,
    threads: int = 1,
    info: MediaInfo | None = None,
    registry: Registry | None = None,
) -> ActionRun:
    """`run_action` for the kit itself, which counts the checkpoints of a run that ends early."""
    _check_accepts(action, media)
    registry = registry or installed_plugins()
    folder = Path(workdir) if workdir else Path(tempfile.mkdtemp(prefix="mediahost-"))
    folder.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    context = _WatchedContext(
        staging=folder,
        inputs={name: _handed_over(given) for name, given in (inputs or {}).items()},
        log=_logger(lines),
        threads=threads,
        cancelled=cancellation,
        find_info=lambda path: info or _probe(registry, path),
        find_resource=_kept_resource,
    )
    try:
        result = run_attempt(registry, action, media, context, DEFAULT_ALGORITHM)
    except BaseException:
        if workdir is None:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    run = ActionRun(
        action, media, result, folder, context.said, lines, checkpoints=cancellation.checkpoints
    )
    if workdir is None:
        # Not with the run: its artifacts are often all that a test keeps.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return run


@cache
def installed_plugins() -> Registry:
    """All installed plugins, loaded once for a whole test run."""
    return Registry.load()


def _check_accepts(action: Action, media: MediaFile) -> None:
    if media.kind not in action.info.accepts:
        accepted = ", ".join(sorted(action.info.accepts))
        raise UsageError(f"{action.info.name} works on {accepted}; this is a file of {media.kind}")


def _handed_over(given: Result | ActionRun) -> Result:
    """The result as the next step gets it: through JSON and back."""
    result = given.result if isinstance(given, ActionRun) else given
    return result_from_json(result.model_dump(mode="json"))


def _logger(lines: list[str]) -> logging.Logger:
    # A logger of this run's own, that caplog hears of too.
    logger = logging.Logger("mediahost.action", logging.DEBUG)  # noqa: LOG001 - as said
    logger.parent = logging.getLogger("mediahost.action")
    logger.addHandler(_LogLines(lines))
    return logger


def _probe(registry: Registry, path: Path) -> MediaInfo | None:
    info: MediaInfo | None = registry.calls.first("mediahost_probe_media", path=path)
    return info


@cache
def _kept_resource(load: Callable[..., Any], *args: Any) -> Any:
    """As in a worker, a model is loaded once and shared by all that follows."""
    return load(*args)
