"""The workbench: all that one process needs to run attempts, one after the other."""

import gc
import logging
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from mediahost.model.info import MediaInfo
from mediahost.model.job import Failure, Outcome
from mediahost.model.media import MediaFile
from mediahost.model.result import Result, result_from_json
from mediahost.plugin.attempt import failure_of, result_hash, run_attempt
from mediahost.plugin.context import Context
from mediahost.plugin.registry import Registry
from mediahost.ports import AttemptSpec, Ended

_logger = logging.getLogger("mediahost.action")

# An exception may carry a whole file in its text; a summary needs a few lines of it.
MESSAGE_CHARS = 2_000
TRACEBACK_CHARS = 64_000


class Keeps(Protocol):
    """What is kept loaded, as an attempt sees it."""

    def find(self, load: Callable[..., Any], *args: Any) -> Any:
        """`load(*args)`, or what an earlier call gave."""

    def release(self) -> None:
        """The attempt is over."""


class Workbench:
    """The loaded plugins and what they keep loaded.

    Args:
        registry: The plugins.
        resources: Kept for later attempts of this process.
        program_output: A descriptor for what programs write to their standard error; None: the
            process's own.
    """

    def __init__(
        self,
        registry: Registry,
        resources: Keeps,
        program_output: Callable[[], AbstractContextManager[int | None]] = nullcontext,
    ) -> None:
        self._registry = registry
        self._resources = resources
        self._program_output = program_output

    def run(
        self,
        spec: AttemptSpec,
        *,
        cancelled: Callable[[], bool],
        report: Callable[[float, str], None],
        log: logging.Logger,
    ) -> Ended:
        """Run one attempt to its end, whatever the plugin does short of ending the process.

        Args:
            spec: The attempt.
            cancelled: Whether somebody wants it to stop.
            report: Gets its progress.
            log: The job's log; a traceback goes there too.
        """
        began = time.monotonic()
        outcome, result, hashed, failure = Outcome.OK, None, None, None
        try:
            result = self._result(spec, cancelled, report, log)
            hashed = result_hash(result, spec.algorithm)
        except BaseException as error:  # noqa: BLE001 - SystemExit is a plugin's fault like any
            outcome, failure = _why(error, spec.media)
            if failure.traceback:
                log.error("%s", failure.traceback.rstrip())  # noqa: TRY400 - cut to length
        self._resources.release()
        elapsed_ms = round((time.monotonic() - began) * 1000)
        return Ended(spec.token, outcome, result, failure, elapsed_ms, hashed)

    def _result(
        self,
        spec: AttemptSpec,
        cancelled: Callable[[], bool],
        report: Callable[[float, str], None],
        log: logging.Logger,
    ) -> Result:
        action = self._registry.action(spec.action).configured(spec.config)
        context = Context(
            staging=spec.workdir,
            inputs={name: result_from_json(result) for name, result in spec.inputs.items()},
            log=log,
            threads=spec.threads,
            report=report,
            cancelled=cancelled,
            find_info=self._info,
            find_resource=self._resources.find,
            program_output=self._program_output,
        )
        context.checkpoint()
        return run_attempt(self._registry, action, spec.media, context, spec.algorithm)

    def _info(self, path: Path) -> MediaInfo | None:
        info: MediaInfo | None = self._registry.calls.first("mediahost_probe_media", path=path)
        return info


def _why(error: BaseException, media: MediaFile) -> tuple[Outcome, Failure]:
    """What an exception says, even one that can't be asked: its `__str__` is a plugin's too."""
    try:
        outcome, failure = failure_of(error, media)
    except BaseException:  # noqa: BLE001 - see above
        trace = "".join(traceback.format_tb(error.__traceback__))
        outcome, failure = Outcome.ERROR, Failure(type(error).__name__, traceback=trace)
    return outcome, replace(
        failure,
        # A plugin's exception may have anything for a message.
        message=str(failure.message)[:MESSAGE_CHARS],
        hint=str(failure.hint)[:MESSAGE_CHARS] if failure.hint else None,
        traceback=failure.traceback[-TRACEBACK_CHARS:],
    )


def loaded_plugins(extra: Sequence[str]) -> Registry:
    """All plugins, for a process that has them until its end.

    The garbage collector leaves alone what was loaded by then. It would find nothing, but look
    through all of it several times until the plugins are there, and twice more when the process
    ends: together a sixth of what a worker costs that has one short attempt.

    Args:
        extra: Plugins besides the installed ones.
    """
    registry = Registry.load(extra)
    gc.freeze()
    gc.enable()
    return registry


def tell_plugins(registry: Registry, hook: str, worker: str) -> None:
    """Call a hook; a plugin that fails in it takes neither the others nor the worker along."""
    for _ in registry.calls.each(hook, worker=worker):
        pass
