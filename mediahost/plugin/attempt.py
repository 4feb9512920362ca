"""One attempt, in whatever process it runs: from an action's name to a validated result."""

import errno
import json
import os
import shutil
import traceback
from functools import lru_cache
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, to_json

from mediahost.cached import MISSING
from mediahost.errors import JobCancelled, MediahostError, PluginError, TransientError, Unavailable
from mediahost.hashing import Algorithm, canonical, hash_bytes, hash_file
from mediahost.model.job import Failure, Outcome
from mediahost.model.kinds import mime_type_of
from mediahost.model.media import MediaFile
from mediahost.model.paths import display
from mediahost.model.result import (
    Artifact,
    MediaAnalysisResult,
    MediaProcessingResult,
    Result,
    result_from_text,
    result_to_text,
)
from mediahost.plugin.action import Action
from mediahost.plugin.context import Context
from mediahost.plugin.registry import Registry

# What is short is often the same again, such as that an analyzer found nothing; then its hash,
# 12 µs, is known.
SHORT_BYTES = 512

# No file is at fault where a disk or a quota is full.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_TRANSIENT_ERRNOS = {
    errno.EAGAIN,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.EINTR,
    errno.EIO,
    errno.ENETUNREACH,
    errno.ENODEV,
    errno.ENOTCONN,
    errno.ESTALE,
    errno.ETIMEDOUT,
}


def run_attempt(
    registry: Registry,
    action: Action,
    media: MediaFile,
    context: Context,
    algorithm: Algorithm,
) -> Result:
    """Run an action and check what it gives back.

    Returns:
        The result; its artifacts have size and hash, and are on the disk.

    Raises:
        JobCancelled: It was cancelled.
        Exception: Whatever the plugin raised, or PluginError if it returned nonsense.
    """
    result: Any = registry.plugins.hook.mediahost_run_action(
        action=action, media=media, context=context
    )
    name = action.info.name
    expected = MediaAnalysisResult if action.info.kind == "analyzer" else MediaProcessingResult
    if not isinstance(result, expected):
        raise PluginError(
            f"{name} returned {_short(result)} where {expected.__name__} was expected"
        )
    try:
        # Through JSON and back: what can't make the journey must fail here, in its own job.
        checked = result_from_text(_spelled(result.model_dump(mode="json", warnings=False)))
    except (ValidationError, ValueError) as error:
        raise PluginError(f"{name} returned a result that is not valid: {_first(error)}") from None
    if MISSING in checked.metadata:
        raise PluginError(f"{name} gave metadata a member {MISSING}, a name that the host uses")
    if isinstance(checked, MediaProcessingResult):
        artifacts = tuple(_sealed(name, one, context, algorithm) for one in checked.artifacts)
        paths = [artifact.path for artifact in artifacts]
        for path in paths:
            if paths.count(path) > 1:
                raise PluginError(f"{name} gave {display(path.name)} twice")
        return checked.model_copy(update={"artifacts": artifacts})
    return checked


def result_hash(result: Result, algorithm: Algorithm) -> str:
    """The hash of what a result says, wherever its artifacts lie."""
    if isinstance(result, MediaAnalysisResult):
        text = result_to_text(result)
        if len(text) <= SHORT_BYTES:
            return _hash_of_short(text, algorithm)
    data = result.model_dump(mode="json")
    for artifact in data.get("artifacts", ()):
        artifact["path"] = Path(artifact["path"]).name
    return hash_bytes(canonical(data), algorithm)


@lru_cache(maxsize=256)
def _hash_of_short(text: bytes, algorithm: Algorithm) -> str:
    return hash_bytes(canonical(result_from_text(text).model_dump(mode="json")), algorithm)


def _spelled(data: Any) -> bytes:
    try:
        return to_json(data)
    except PydanticSerializationError:
        # A lone surrogate in a text: not UTF-8, but JSON can spell it.
        return json.dumps(data).encode()


def _sealed(name: str, artifact: Artifact, context: Context, algorithm: Algorithm) -> Artifact:
    """The artifact with size, hash and type, its bytes on the disk."""
    workdir = context.workdir.resolve()
    path = (workdir / artifact.path).resolve()
    if not path.is_relative_to(workdir):
        raise PluginError(f"{name} made {display(path)}, which is outside its workdir")
    if not path.is_file():
        raise PluginError(
            f"{name} says that it made {display(path.name)}, but there is no such file"
        )
    if path.stat().st_nlink > 1:
        _unlink_from_others(path)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    file_hash, stat = hash_file(path, algorithm)
    return artifact.model_copy(
        update={
            "path": path,
            "size": stat.size,
            "file_hash": file_hash,
            "mime_type": artifact.mime_type or mime_type_of(path),
        }
    )


def _unlink_from_others(path: Path) -> None:
    """Make a hard link a file of its own: what is written to an artifact changes no original."""
    part = path.with_name(f".{os.urandom(8).hex()}.part")
    shutil.copy2(path, part)
    part.replace(path)


def failure_of(error: BaseException, media: MediaFile) -> tuple[Outcome, Failure]:
    """What an exception says about the attempt, in one sentence for the user."""
    if isinstance(error, JobCancelled):
        return Outcome.CANCELLED, Failure("Cancelled")
    trace = "".join(traceback.format_exception(error))
    if (lack := _lack_of(error, media, trace)) is not None:
        return Outcome.UNAVAILABLE, lack
    if isinstance(error, MemoryError):
        return Outcome.OOM, Failure("It ran out of memory", transient=True, traceback=trace)
    return Outcome.ERROR, _fault_of(error, media, trace)


def _fault_of(error: BaseException, media: MediaFile, trace: str) -> Failure:
    if isinstance(error, MediahostError):
        transient = isinstance(error, TransientError)
        return Failure(error.message, error.hint, transient, trace)
    if isinstance(error, CalledProcessError):
        program = Path(str(error.cmd[0])).name
        message = f"The program {program} failed with exit code {error.returncode}"
        return Failure(message, "Its output is in the job's log.", traceback=trace)
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return _of_the_system(error, media, trace)
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Failure(" ".join(message.split()), traceback=trace)


def _lack_of(error: BaseException, media: MediaFile, trace: str) -> Failure | None:
    """What the action needs and is not here, if that is why it failed."""
    if isinstance(error, Unavailable):
        return Failure(error.message, error.hint, traceback=trace)
    if isinstance(error, ModuleNotFoundError):
        return Failure(f"The Python module {error.name} is not installed", traceback=trace)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return _of_the_system(error, media, trace)
    return None


def _of_the_system(error: OSError, media: MediaFile, trace: str) -> Failure:
    about = error.filename if isinstance(error.filename, str) else str(media.path)
    reason = os.strerror(error.errno or 0)
    transient = error.errno in _TRANSIENT_ERRNOS
    return Failure(f"{display(about)}: {reason}", transient=transient, traceback=trace)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - a terminal's width


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
    return str(error)
