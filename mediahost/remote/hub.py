"""The hub: known models, downloaded from where their makers keep them, when a person asks.

A download is taken up where it broke off, also by a later call. It grows under a name that nothing
loads, and gets its own only after its size and SHA-256 were found to be the pinned ones.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mediahost.errors import MediahostError, UsageError
from mediahost.hashing import hash_file
from mediahost.installation import install_hint
from mediahost.plugin.models import ModelMismatch, PinnedFile, PinnedModel

ENDPOINT_VARIABLE = "HF_ENDPOINT"
DEFAULT_ENDPOINT = "https://huggingface.co"
_SHA256_DIGITS = 64


class DownloadFailed(MediahostError):
    """The hub, or the way to it, failed."""


def endpoint() -> str:
    """The hub, or the mirror of it that the environment names."""
    return os.environ.get(ENDPOINT_VARIABLE, "").rstrip("/") or DEFAULT_ENDPOINT


def fetch(model: PinnedModel) -> Path:
    """Download those files of a model that are not there yet, unchanged.

    Returns:
        The folder with its files, each the published one.

    Raises:
        DownloadFailed: The hub can't be reached, or doesn't have the file.
        ModelMismatch: The hub has another file under this name.
        UsageError: The library that speaks to the hub is not installed.
    """
    folder = model.home
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            # The weights come last: a folder with weights is taken for a whole model.
            for file in reversed(model.files):
                _fetch_file(model, file, folder)
    except OSError as error:
        raise _failed(model, error) from error
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Of several downloads of one model, each waits for the one before."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _fetch_file(model: PinnedModel, pinned: PinnedFile, folder: Path) -> None:
    target = folder / pinned.name
    if target.is_file() and _is_pinned(target, pinned):
        return
    # Named by its hash: what an earlier call left is of the same version.
    part = folder / f".{pinned.sha256}.part"
    with open(part, "ab", opener=_own) as file:
        _download(model, pinned, file)
        file.flush()
        os.fsync(file.fileno())
    if not _is_pinned(part, pinned):
        part.unlink()
        raise _mismatch(model, pinned)
    part.replace(target)


def _own(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)


def _download(model: PinnedModel, pinned: PinnedFile, file: BinaryIO) -> None:
    """Add to a file what it lacks."""
    # Else the library says to the hub what runs it, and asks for a list to tell that by.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        # In a function: half a second, and commands that download nothing don't need it.
        from huggingface_hub import get_hf_file_metadata, hf_hub_url  # noqa: PLC0415

        # What its errors are made of: that of the HTTP library that it is built on.
        from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # noqa: PLC0415
        from huggingface_hub.file_download import http_get  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            "To download models, mediahost needs the package huggingface-hub",
            f"Install it with: {install_hint('huggingface-hub')}",
        ) from error
    have = file.seek(0, os.SEEK_END)
    if have > pinned.size:
        have = file.truncate(0)
    if have == pinned.size:
        return
    url = hf_hub_url(model.repository, pinned.name, revision=model.revision, endpoint=endpoint())
    try:
        # Public models need no account: whatever token lies on this machine stays here.
        found = get_hf_file_metadata(url, token=False, endpoint=endpoint())
        tag = found.etag or ""
        other = len(tag) == _SHA256_DIGITS and tag != pinned.sha256
        if other or found.size not in (None, pinned.size):
            raise _mismatch(model, pinned)
        http_get(
            url, file, resume_size=have, expected_size=pinned.size, displayed_filename=pinned.name
        )
    except (HTTPError, ValueError) as error:
        raise _failed(model, error) from error


def _is_pinned(path: Path, pinned: PinnedFile) -> bool:
    if path.stat().st_size != pinned.size:
        return False
    return hash_file(path, "sha256")[0] == f"sha256:{pinned.sha256}"


def _mismatch(model: PinnedModel, pinned: PinnedFile) -> ModelMismatch:
    return ModelMismatch(
        f"{endpoint()} has another file {pinned.name} of {model.repository} than the one that "
        f"mediahost knows as {model.name}; it is not kept",
        "Where this is a mirror, try another: set HF_ENDPOINT, or leave it unset for "
        f"{DEFAULT_ENDPOINT}.",
    )


def _failed(model: PinnedModel, error: Exception) -> DownloadFailed:
    reason = " ".join(str(error).split()) or type(error).__name__
    return DownloadFailed(
        f"The model {model.name} can't be downloaded from {endpoint()}: {reason}",
        f"What has come is kept; go on with: mediahost models get {model.name}\n"
        f"Offline: copy its folder from a machine that has it to {model.home}.",
    )
