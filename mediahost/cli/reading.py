"""Reading: what code that may be a stranger's looks at while it decides what is asked for.

The default of a config may come out of a file or the environment, by way of any module. No source
says so for certain, but Python tells what is opened, and the environment can be overheard.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import source_from_cache
from types import ModuleType
from typing import Any, Self

_LISTED = frozenset({"os.listdir", "os.scandir"})
# What these answer may be another thing next time, and no stat tells.
_ASKED = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.system",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostname",
        "socket.sendto",
        "sqlite3.connect",
        "subprocess.Popen",
    }
)


class Reading:
    """Notes what is read within `with` blocks, of which there may be several, one at a time.

    Attributes:
        files: Paths of files and folders, be they there or not, and of the sources of all that was
            loaded by then but Python's own.
        variables: Of the environment, and whether they are set.
        is_limited: Nothing else was asked: no program, server or database, nor for all variables.
    """

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.variables: dict[str, bool] = {}
        self.is_limited = True

    def __enter__(self) -> Self:
        _overhear(self)
        return self

    def __exit__(self, *_: object) -> None:
        _overhear(None)
        self.files.update(_sources())

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        """Note what an audit event tells."""
        if event in _ASKED:
            self.is_limited = False
        elif event in _LISTED:
            self._add(args[0] or ".")
        elif event == "open" and not args[2] & (os.O_WRONLY | os.O_CREAT):
            self._add(args[0])

    def _add(self, path: Any) -> None:
        if isinstance(path, int):  # it was opened before
            return
        text = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - names may not be UTF-8
        with suppress(ValueError):  # it is byte code
            text = source_from_cache(text)
        self.files.add(text)


def _sources() -> Iterator[str]:
    own = os.path.dirname(os.__file__)  # noqa: PTH120 - as they write it
    loaded: list[object] = list(sys.modules.values())
    for one in loaded:
        # Not by getattr: a module may be anything, such as what is loaded when it is looked at.
        source = vars(one).get("__file__") if isinstance(one, ModuleType) else None
        if isinstance(source, str) and (not source.startswith(own) or "-packages" in source):
            yield source


class _Overheard(os._Environ[Any]):  # noqa: SLF001 - what the environment is
    def __getitem__(self, key: Any) -> Any:
        try:
            value = super().__getitem__(key)
        except KeyError:
            self._note(key, is_set=False)
            raise
        self._note(key, is_set=True)
        return value

    def _note(self, key: Any, *, is_set: bool) -> None:
        if _reading:
            _reading.variables[os.fsdecode(key)] = is_set

    def __iter__(self) -> Iterator[Any]:
        if _reading:
            _reading.is_limited = False
        return super().__iter__()


_reading: Reading | None = None
_is_hooked = False


def _overhear(reading: Reading | None) -> None:
    global _reading, _is_hooked  # noqa: PLW0603 - a process has one environment, and keeps its hooks
    _reading = reading
    kind: Any = _Overheard if reading else os._Environ  # noqa: SLF001 - see above
    os.environ.__class__ = os.environb.__class__ = kind
    if not _is_hooked:
        sys.addaudithook(_hear)
        _is_hooked = True


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if _reading:
        _reading.hear(event, args)
