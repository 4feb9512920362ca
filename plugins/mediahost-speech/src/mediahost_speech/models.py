"""Whisper models: found, checked and loaded.

Nothing is ever downloaded here: hundreds of megabytes are the user's to ask for.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mediahost.errors import UnknownName
from mediahost.plugin.models import ModelMissing
from mediahost_speech.heap import share_heap
from mediahost_speech.heedful import Heedful
from mediahost_speech.known import KNOWN, WEIGHTS

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

# How many pieces of half a minute are read at once, by device. A matter of that alone, so that
# words depend on nothing else. On a CPU three take a tenth more time than eight, and far less
# memory: a minute and a half of speech fills them, and an hour takes no more.
_BATCHES = {"cpu": 3, "cuda": 8}
# Without it, faster-whisper would download a tokenizer.
_TOKENIZER = "tokenizer.json"


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


class Loaded(NamedTuple):
    """A model that is ready to work.

    Attributes:
        whisper: The model.
        batch: How many pieces of half a minute it computes on at once.
    """

    whisper: "WhisperModel"
    batch: int


def load_whisper(model: str, threads: int) -> Loaded:
    """The model, ready to work; loaded once per worker.

    Args:
        model: A name, or the path of a folder.
        threads: How many the CPU may use.

    Raises:
        ModelMissing: It is not on this machine.
        ModelMismatch: Its files are not those that were published under its name.
        UnknownName: No model has this name.
    """
    # Else the threads that wait for the next computation burn a core meanwhile.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    share_heap()
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
            f"The speech model in {folder} can't be loaded: {reason}",
            "Set the config model to the folder of a Whisper model for CTranslate2, or to a name: "
            f"{', '.join(KNOWN)}.",
        ) from error
    whisper.model = Heedful(whisper.model)
    return Loaded(whisper, _BATCHES[device])


def folder_of(model: str) -> Path:
    """The folder of a model by name, its files checked; or by path, as it is.

    Raises:
        ModelMissing: It is not on this machine.
        ModelMismatch: Its files are not those that were published under its name.
        UnknownName: No model has this name.
    """
    if is_path(model):
        return _own_folder(Path(model).expanduser())
    if model not in KNOWN:
        raise UnknownName(
            "speech model",
            model,
            KNOWN,
            f"There are: {', '.join(KNOWN)}; or give the path of a folder with a model.",
        )
    return KNOWN[model].checked()


def is_path(model: str) -> bool:
    """Whether a person named a folder of their own."""
    return "/" in model or model.startswith("~")


def _own_folder(folder: Path) -> Path:
    for name in (WEIGHTS, _TOKENIZER):
        if not (folder / name).is_file():
            raise ModelMissing(
                f"There is no speech model in {folder}: it has no file {name}",
                "A folder of a Whisper model for CTranslate2 has the files "
                f"{WEIGHTS} and {_TOKENIZER}.",
            )
    return folder
