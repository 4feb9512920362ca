"""Trust: which settings files of working folders their person has looked at.

A folder may be a stranger's: an unpacked archive, a stick, a share. What its `mediahost.toml` says
counts without a question only where it can neither send, fetch, write nor run anything that the
person's own settings would not. For the rest the file itself is trusted, by path and content.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import Any

from mediahost.errors import SettingsError
from mediahost.partfile import written
from mediahost.user_folders import user_config_folder

# An allow-list: a setting that is added later needs trust until it is listed here.
HARMLESS = frozenset({"pipelines", "tui_filters", "tui_keys", "tui_pictures"})

# The last word of a config field that names another place or the key to one.
_PLACES = frozenset(
    {
        *("address", "baseurl", "endpoint", "host", "hostname", "origin", "proxy", "server"),
        *("uri", "uris", "url", "urls", "webhook"),
        *("apikey", "credential", "credentials", "key", "password", "secret", "token"),
    }
)
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")
_URL = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*://")
_VARIABLE = re.compile(r"\$\{?\w")


class UntrustedSettings(SettingsError):
    """A settings file of a working folder says more than a stranger's may.

    Attributes:
        path: The file.
        content: Its bytes, as they were read.
        parts: What needs trust, as keys.
    """

    def __init__(self, path: Path, content: bytes, parts: Collection[str]) -> None:
        named = ", ".join(parts)
        super().__init__(
            f"The settings file {path} is not trusted, and it sets {named}",
            f"Read it, then trust it: mediahost trust {quote(str(path.parent))}\n"
            "Or name another file: mediahost --settings FILE ...",
        )
        self.path = path
        self.content = content
        self.parts = tuple(parts)


class TrustedFiles:
    """Settings files that the person trusts, each remembered by its path and content.

    Args:
        folder: Where they are remembered, one note a file; None: in the user's config folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or user_config_folder() / "trusted"

    def has(self, path: Path, content: bytes) -> bool:
        """Whether this very content of this file is trusted."""
        return self._note(path, content).is_file()

    def add(self, path: Path, content: bytes) -> None:
        """Trust this content of this file; what it held before is trusted no more.

        Raises:
            SettingsError: It can't be remembered.
        """
        self.remove(path)
        note = self._note(path, content)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with written(note) as file:
                file.write(os.fsencode(_whole(path)))
        except OSError as error:
            raise SettingsError(
                f"What is trusted can't be kept in {self.folder}: {error.strerror}"
            ) from None

    def remove(self, path: Path) -> bool:
        """Trust this file no more, whatever it holds; whether it was trusted."""
        mine = [note for note, trusted in self._notes() if trusted == _whole(path)]
        for note in mine:
            note.unlink(missing_ok=True)
        return bool(mine)

    def paths(self) -> list[Path]:
        """The files that were trusted, with what they held then."""
        return sorted({path for _, path in self._notes()})

    def _notes(self) -> Iterator[tuple[Path, Path]]:
        with suppress(FileNotFoundError):
            for note in sorted(self.folder.iterdir()):
                if not note.name.startswith("."):
                    yield note, Path(os.fsdecode(note.read_bytes()))

    def _note(self, path: Path, content: bytes) -> Path:
        return self.folder / sha256(os.fsencode(_whole(path)) + b"\0" + content).hexdigest()


def parts_to_trust(data: Mapping[str, Any], own_pipelines: Collection[str]) -> list[str]:
    """Keys of a settings file that a stranger's file may not have.

    Args:
        data: What is in the file.
        own_pipelines: Names that stand for pipelines already; to replace one needs trust, or a
            command and a watch of the person's would do what a stranger wants.
    """
    parts = [name for name in data if name not in HARMLESS]
    pipelines = data.get("pipelines")
    for name, recipe in pipelines.items() if isinstance(pipelines, Mapping) else ():
        if name in own_pipelines:
            parts.append(f"pipelines.{name}")
        elif isinstance(recipe, Mapping):
            parts += (f"pipelines.{name}.{place}" for place in _places_in_steps(recipe))
    return parts


def _places_in_steps(recipe: Mapping[str, Any]) -> Iterator[str]:
    steps = recipe.get("steps")
    for number, step in enumerate(steps if isinstance(steps, list) else (), 1):
        if isinstance(step, Mapping):
            yield from _places(step.get("config"), f"steps[{number}].config")


def _places(value: Any, key: str) -> Iterator[str]:
    """Where a config names another place: secrets may not go where a stranger says."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if _names_a_place(str(name)):
                yield f"{key}.{name}"
            else:
                yield from _places(inner, f"{key}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from _places(inner, f"{key}[{number}]")
    elif isinstance(value, str) and (_URL.match(value) or _VARIABLE.search(value)):
        yield key


def _names_a_place(name: str) -> bool:
    words = _WORDS.findall(name)
    return bool(words) and words[-1].lower() in _PLACES


def _whole(path: Path) -> Path:
    # Not resolved: what is trusted is what is found under this name.
    return Path(os.path.abspath(path))  # noqa: PTH100 - `absolute` keeps `..`
