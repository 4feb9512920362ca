"""What every action must keep to, checked on a file."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mediahost.errors import InvalidConfig, InvalidMedia, JobCancelled
from mediahost.hashing import hash_file
from mediahost.model.info import MediaInfo
from mediahost.model.media import MediaFile
from mediahost.model.result import MediaProcessingResult, Result
from mediahost.plugin.action import Action
from mediahost.testing.action_run import ActionRun
from mediahost.testing.media import damaged_copies
from mediahost.testing.run import Cancellation, attempt

# A container often knows its duration only roughly, so the last report may be a little over 1.
PROGRESS_LIMIT = 1.05

# What trips a program that builds a command line, a pattern or a URL of a path.
_AWKWARD_STEM = "-50% %d 'of' ü:it"

Attempt = Callable[[MediaFile, Cancellation], ActionRun]


def check_action(
    action: Action,
    media: MediaFile | str | os.PathLike[str],
    *,
    inputs: Mapping[str, Result | ActionRun] | None = None,
    info: MediaInfo | None = None,
    repeatable: bool = True,
) -> ActionRun:
    """Check that an action keeps to what the host counts on.

    - Its config survives JSON.
    - Its progress is a number from 0 to 1, and it stops when it is cancelled.
    - The same bytes and config give the same result, under any file name.
    - Damaged copies give `InvalidMedia` or a good result, nothing else.
    - The media file is left as it was.

    Args:
        action: The action with its config.
        media: A good media file, a small one: the action runs on it about ten times.
        inputs: Results of the steps that this one follows, by step name.
        info: What `context.probe` says. None: what the installed plugins say.
        repeatable: False for an action that is random by nature, such as a language model's.

    Returns:
        The run on the good file, for checks of your own.

    Raises:
        AssertionError: It does not; the message says in what.
    """
    __tracebackhide__ = True
    media = media if isinstance(media, MediaFile) else MediaFile.at(media)
    hash_before, _ = hash_file(media.path)
    _check_config_survives_json(action)
    run = attempt(action, media, Cancellation(None), inputs=inputs, info=info)

    def again(media: MediaFile, cancellation: Cancellation) -> ActionRun:
        with tempfile.TemporaryDirectory(prefix="mediahost-") as workdir:
            return attempt(action, media, cancellation, inputs=inputs, info=info, workdir=workdir)

    _check_progress(run)
    _check_cancel_is_obeyed(run, again)
    with tempfile.TemporaryDirectory(prefix="mediahost-") as folder:
        if repeatable:
            _check_same_again(run, again, Path(folder))
        _check_damaged_copies(run, again, Path(folder))
    if hash_file(media.path)[0] != hash_before:
        raise AssertionError(f"{action.info.name} changed the media file {media.path.name}")
    return run


def _check_config_survives_json(action: Action) -> None:
    name = action.info.name
    config = action.public_config()
    try:
        remade = type(action).configured(json.loads(json.dumps(config, allow_nan=False)))
    except InvalidConfig as error:
        raise AssertionError(
            f"{name} can't be made again from its config as JSON (a secret needs a default, "
            f"as secrets are never stored): {error}"
        ) from error
    if remade.public_config() != config:
        raise AssertionError(
            f"the config of {name} is another after JSON: {config} became {remade.public_config()}"
        )


def _check_progress(run: ActionRun) -> None:
    for fraction, message in run.progress:
        if not 0 <= fraction <= PROGRESS_LIMIT:
            raise AssertionError(
                f"{run.action.info.name} reported a progress of {fraction} ({message!r}), "
                "which is not within 0 and 1"
            )


def _check_cancel_is_obeyed(run: ActionRun, again: Attempt) -> None:
    name = run.action.info.name
    if not run.checkpoints:
        raise AssertionError(
            f"{name} can't be cancelled: it calls neither context.progress nor context.checkpoint"
        )
    for at in sorted({1, (run.checkpoints + 1) // 2}):
        cancellation = Cancellation(at)
        try:
            again(run.media, cancellation)
        except JobCancelled:
            continue
        # The number of checkpoints may vary with the machine's speed.
        if cancellation.reached:
            raise AssertionError(f"{name} was cancelled at checkpoint {at}, but went on")


def _check_same_again(run: ActionRun, again: Attempt, folder: Path) -> None:
    renamed = folder / f"{_AWKWARD_STEM}{run.media.path.suffix}"
    shutil.copyfile(run.media.path, renamed)
    media = MediaFile(renamed, run.media.kind, run.media.file_hash)
    second_run = again(media, Cancellation(None))
    first, second = _comparable(run.result), _comparable(second_run.result)
    if first != second:
        parts = [part for part in first if first[part] != second[part]]
        shown = "\n".join(f"  {part}: {first[part]}\n  then: {second[part]}" for part in parts)
        raise AssertionError(
            f"{run.action.info.name} gave another result for the same bytes and config, "
            f"in a file named {renamed.name!r}:\n{shown}"
        )


def _comparable(result: Result) -> dict[str, Any]:
    """The result without the names of its files, which may follow the name of the media file."""
    data = result.model_dump(mode="json")
    if isinstance(result, MediaProcessingResult):
        for artifact in data["artifacts"]:
            del artifact["path"]
    return data


def _check_damaged_copies(run: ActionRun, again: Attempt, folder: Path) -> None:
    name = run.action.info.name
    for what, path in damaged_copies(run.media.path, folder):
        try:
            again(MediaFile(path, run.media.kind), Cancellation(None))
        except InvalidMedia as error:
            if not error.message.strip():
                raise AssertionError(f"{name} refused {what} without saying why") from error
        except Exception as error:
            raise AssertionError(
                f"{name} should raise InvalidMedia for {what}, not {type(error).__name__}: {error}"
            ) from error
