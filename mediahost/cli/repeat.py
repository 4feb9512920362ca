"""A repeat: a run that is asked for in the same words as before, with nothing new to work on.

To learn which results are wanted a run loads the plugins and pydantic, which takes three times as
long as to look at ten thousand files. So what it came to is noted, beside the stat of every file
that it followed from: sources, settings, folders that plugins are installed in. While all of them
are as they were, the next run in the same words needs no more than the walk and a glance at the
store (decision 20). Nothing here may import what is dear to load.
"""

import json
import marshal
import os
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn, cast

from mediahost import __version__
from mediahost.hashing import RACY_NS, hash_bytes, stat_parts
from mediahost.host.unchanged import Asked, Sifted, Unchanged
from mediahost.host.walk import walk
from mediahost.model.paths import expanded
from mediahost.partfile import write_text
from mediahost.store.glance import Glance, GlancedStore

if TYPE_CHECKING:
    from mediahost.cli.reading import Reading
    from mediahost.hashing import Algorithm
    from mediahost.ports import Store

FOLDER = "repeats"
DATA_DIR_OPTION = "--data-dir"
PREFIX = "MEDIAHOST_"

# What else of the environment says where settings are, and programs.
_PLACES = ("HOME", "PATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
# No result is named by a secret, and a secret is not even hashed.
_SECRETS = ("AUTH", "CRED", "KEY", "PASS", "PWD", "SECRET", "TOKEN", "URL")
# The store of such a call may be anywhere, with a password in its address.
_STORES = ("DATABASE_URL", "MEDIAHOST_DATABASE_URL")

# After this a note is forgotten, needed or not: a run makes it anew.
KEPT_S = 90 * 86_400

# What was changed after this, or shortly before, may not be what this process has read.
_STARTED_NS = time.time_ns()
# Where modules are looked for, before a plugin adds to it.
_PATH = list(sys.path)

Stat = list[int] | None


class Repeat(NamedTuple):
    """What a run came to.

    Attributes:
        paths: The folders that it looked through.
        skip: Folders that it did not enter.
        store: Path of the store.
        algorithm: What the store hashes with.
        asked: What each step asks of a file.
    """

    paths: list[str]
    skip: list[str]
    store: str
    algorithm: "Algorithm"
    asked: list[Asked]


class _NotForAGlance(Exception):
    """It takes more than a glance: plugins are to be loaded, or the store is to be opened."""


def sift_repeat(argv: Sequence[str]) -> Sifted | None:
    """Look through the folders of a run that was asked for before; None: it was not, or not so.

    Args:
        argv: The words of the call.
    """
    try:
        note = note_of(argv)
        return _sift(_read(note)) if note else None
    except Exception:  # noqa: BLE001 - whatever is wrong, the run itself will say it
        return None


def note_of(argv: Sequence[str]) -> Path | None:
    """Where a call is noted: by all that is said in it, and where; None: it is not.

    To be asked before plugins are loaded, which may change the environment.

    Args:
        argv: The words of the call.
    """
    if any(name in os.environ for name in _STORES):
        return None
    # The very names matter: the settings refuse one that is misspelt.
    said = [
        (name, value if _is_said(name) else "")
        for name, value in sorted(os.environ.items())
        if _is_said(name) or name.startswith(PREFIX)
    ]
    with suppress(OSError, RuntimeError):  # there is no working folder any more, or no home
        here = os.getcwd()  # noqa: PTH109 - bytes that are not UTF-8
        by = [__version__, sys.version, sys.executable, _PATH, here, list(argv), said]
        # Version 2 of the format, the last that spells equal values alike whoever holds them.
        name = hash_bytes(marshal.dumps(by, 2)).rpartition(":")[2]
        return _folder(argv) / f"{name}.json"
    return None


def remember(
    note: Path,
    repeat: Repeat,
    reading: "Reading",
    files: Iterable[str | os.PathLike[str]],
) -> None:
    """Note what a call came to, unless it follows from more than can be looked at next time.

    Args:
        note: Where, by `note_of`.
        repeat: What it came to.
        reading: What the program and its plugins were made of, and looked at.
        files: Settings, such that may be there one day among them.
    """
    unsaid = {name: is_set for name, is_set in reading.variables.items() if not _is_said(name)}
    if not reading.is_limited or any(unsaid.values()):
        return
    followed = (*(os.fspath(file) for file in files), *sys.path, *reading.files)
    stats = {path: _stat_of(path) for path in followed}
    if not all(map(_is_settled, stats.values())):
        return
    with suppress(Exception):  # whatever is wrong, the run itself was right
        note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_old(note.parent)
        noted = json.dumps([repeat._asdict(), stats, list(unsaid)])
        write_text(note, noted, private=True, durable=False)


def _sift(repeat: Repeat) -> Sifted | None:
    glance = Glance.at(repeat.store, repeat.algorithm)
    if glance is None or not all(map(os.path.isdir, repeat.paths)):
        return None
    with closing(GlancedStore(glance, _not_opened)) as store:
        unchanged = Unchanged(cast("Store", store), repeat.asked)
        return Sifted(walk(repeat.paths, repeat.skip, unchanged.sift), unchanged)


def _not_opened() -> NoReturn:
    raise _NotForAGlance


def _read(note: Path) -> Repeat:
    """What is noted of a call, if it still holds.

    Raises:
        OSError: There is nothing.
        ValueError, TypeError, KeyError, AttributeError: It is no note of ours.
        _NotForAGlance: Something that it followed from is another by now.
    """
    noted, stats, unset = json.loads(note.read_text("utf-8"))
    if any(name in os.environ for name in unset):
        raise _NotForAGlance
    if any(_stat_of(path) != stat for path, stat in stats.items()):
        raise _NotForAGlance
    asked = [(kinds, config_hash) for kinds, config_hash in noted.pop("asked")]
    return Repeat(**noted, asked=asked)


def _is_said(name: str) -> bool:
    """Whether a note is found by the value of this variable."""
    return name in _PLACES or (
        name.startswith(PREFIX) and not any(word in name for word in _SECRETS)
    )


def _folder(argv: Sequence[str]) -> Path:
    """In the data folder that the call names, else among what the user's programs cache."""
    data_dir = os.environ.get("MEDIAHOST_DATA_DIR")
    for word, following in zip(argv, [*argv[1:], ""], strict=True):
        if word == DATA_DIR_OPTION:
            data_dir = following
        elif word.startswith(f"{DATA_DIR_OPTION}="):
            data_dir = word.partition("=")[2]
    if data_dir:
        return expanded(data_dir) / FOLDER
    from mediahost.user_folders import user_cache_folder

    return user_cache_folder() / FOLDER


def _stat_of(path: str) -> Stat:
    try:
        return list(stat_parts(os.stat(path)))  # noqa: PTH116 - hundreds of them
    except OSError:
        return None


def _is_settled(stat: Stat) -> bool:
    return stat is None or max(stat[1], stat[2]) < _STARTED_NS - RACY_NS


def _forget_old(folder: Path) -> None:
    for note in folder.iterdir():
        if note.stat().st_mtime < time.time() - KEPT_S:
            note.unlink(missing_ok=True)
