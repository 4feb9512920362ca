"""What a walk meets: media files, and paths that nothing can be done with."""

import os
from typing import NamedTuple

from mediahost.hashing import FileStat
from mediahost.model.kinds import MediaKind
from mediahost.model.paths import display


class Problem(NamedTuple):
    """A path that nothing can be done with, why, and what might help."""

    path: str
    message: str
    hint: str | None = None


class FoundFile(NamedTuple):
    """A media file as the walk meets it, not yet hashed.

    The path is folder and name joined.
    """

    path: str
    folder: str
    name: str
    kind: MediaKind
    stat: FileStat


def reason_of(path: str, error: OSError) -> str:
    """What the system says about a path, in a sentence's words."""
    return f"{display(path)}: {os.strerror(error.errno or 0)}"
