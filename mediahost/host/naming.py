"""Names of outputs: after the file that was asked about, whichever file was computed first.

A cached result serves every file with the same content. So artifacts are stored under names that
hold nothing of the file that they were made of, and get a file's name when they are published.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import count
from pathlib import Path, PurePosixPath

from mediahost.errors import MediahostError
from mediahost.model.paths import display, expanded

# What stands for the name of the media file in a stored artifact's name.
ARTIFACT = "artifact"

# Plugins cut long names of media files, each at its own length, but not so short.
_SHORTEST_CUT = 40

# What file systems take, in bytes.
LONGEST_NAME = 255
_LONGEST_SUFFIX = 20
# The hash that keeps names apart that are cut.
_HASH_LENGTH = 6

_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]")


class OutputRefused(MediahostError):
    """An output would land where it must not."""


def stored_name(name: str, stem: str) -> str:
    """The name to store an artifact under.

    Args:
        name: What the action called it.
        stem: The name of the media file that it was made of, without its suffix.
    """
    if _tail(name, ARTIFACT) is not None:
        return name
    tail = _tail(name, stem)
    for length in range(len(stem) - 1, _SHORTEST_CUT - 1, -1):
        if tail is not None:
            break
        tail = _tail(name, stem[:length])
    return name if tail is None else f"{ARTIFACT}{tail}"


def name_of_part(media: str, name: str) -> str:
    """What an artifact is stored as, with the name of the artifact that it was made of before it.

    Args:
        media: The name of that one without its suffix.
        name: What the artifact is stored as.
    """
    return name if _tail(name, media) is not None else f"{media}.{name}"


def published_name(stem: str, name: str, step: str = "") -> str:
    """The name of an artifact beside others of the file that was asked about.

    Args:
        stem: That file's name without its suffix.
        name: What the artifact is stored as.
        step: Put between the two, where the names of two steps would be the same.
    """
    tail = _tail(name, ARTIFACT)
    if tail is None:
        # Stored by an earlier version, or named by the action for what it is.
        tail = _tail(name, stem)
    tail = f".{name}" if tail is None else tail
    return short(f"{stem}.{step}{tail}" if step else f"{stem}{tail}")


def published_names(stem: str, made: Sequence[tuple[str, str]]) -> list[str]:
    """The names of all artifacts of one file, each given by its step and what it is stored as.

    Steps whose names would be the same have their own name in them.
    """
    names = [published_name(stem, name) for _, name in made]
    steps: dict[str, set[str]] = {}
    for (step, _), name in zip(made, names, strict=True):
        steps.setdefault(name, set()).add(step)
    return [
        published_name(stem, stored, step) if len(steps[name]) > 1 else name
        for (step, stored), name in zip(made, names, strict=True)
    ]


def _tail(name: str, stem: str) -> str | None:
    """What follows the stem in a name; None if it doesn't begin so, or goes on as a word."""
    if not stem or not name.startswith(stem):
        return None
    tail = name[len(stem) :]
    return None if tail[:1].isalnum() else tail


def short(name: str) -> str:
    """A name that file systems take: the stem is cut and gets a hash, the suffix stays."""
    if len(os.fsencode(name)) <= LONGEST_NAME:
        return name
    suffix = Path(name).suffix
    if len(os.fsencode(suffix)) > _LONGEST_SUFFIX:
        suffix = ""
    stem = name.removesuffix(suffix) if suffix else name
    digest = sha256(os.fsencode(stem)).hexdigest()[:_HASH_LENGTH]
    room = LONGEST_NAME - len(os.fsencode(suffix)) - len(digest) - 1
    return f"{os.fsencode(stem)[:room].decode(errors='ignore')}~{digest}{suffix}"


def names_for(wanted: Path) -> Iterator[Path]:
    """The path, then the same with numbers: `talk.mp3`, `talk.2.mp3`..."""
    yield wanted
    for number in count(2):
        yield wanted.with_name(short(f"{wanted.stem}.{number}{wanted.suffix}"))


def top_of(template: str) -> Path:
    """The folder that a template begins with; without fields, the template itself."""
    fixed, brace, _ = template.partition("{")
    return expanded(fixed if not brace else fixed.rpartition("/")[0] or "/").absolute()


def target_for(template: str, fields: Mapping[str, str]) -> Path:
    """Where an output goes: below the folder that the template begins with, and nowhere else.

    A template without fields is a folder, laid out as the one of the sources. One whose last part
    has no suffix gets the artifact's.

    Raises:
        OutputRefused: It would lead out of that folder, such as by a symbolic link in it.
    """
    fixed, brace, _ = template.partition("{")
    top = top_of(template)
    if not brace:
        name = published_name(fields["stem"], fields["name"])
        rendered = _rendered("{folder}/{name}", {**fields, "name": name})
    else:
        rendered = _rendered(template[len(fixed.rpartition("/")[0]) :], fields)
        suffix = _UNSAFE.sub("_", fields["suffix"])
        if not rendered[-1].endswith(suffix):
            rendered[-1] += suffix
    target = top.joinpath(*map(short, rendered))
    check_inside(target, top)
    return target


def check_inside(target: Path, top: Path) -> None:
    """See that a path lies below a folder in truth, whatever links there are on the way.

    Raises:
        OutputRefused: It doesn't.
    """
    real = Path(os.path.realpath(target.parent))
    if not real.is_relative_to(os.path.realpath(top)):
        raise OutputRefused(
            f"The output {display(target)} would lie outside {display(top)}",
            "A symbolic link leads out of the folder: remove it, or give another folder.",
        )


def _rendered(template: str, fields: Mapping[str, str]) -> list[str]:
    """The parts of the path; whatever the fields hold, none is `..` or has a slash in it."""
    safe = {name: _UNSAFE.sub("_", value) for name, value in fields.items() if name != "folder"}
    parts: list[str] = []
    for part in PurePosixPath(template).parts:
        if part == "{folder}":
            parts += [_UNSAFE.sub("_", one) for one in fields["folder"].split("/")]
        elif part != "/":
            folder = _UNSAFE.sub("_", fields["folder"])
            parts.append(part.format_map({**safe, "folder": folder}))
    return [part if part.strip(".") else "_" for part in parts if part] or ["_"]
