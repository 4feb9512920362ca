"""What can go wrong, in words for the person who meets it.

Every error is one sentence and, where there is something to do about it, a hint.
"""

from collections.abc import Iterable
from typing import ClassVar


class MediahostError(Exception):
    """The root of the tree.

    Args:
        message: One clear sentence for the user.
        hint: What to do about it, or None.

    Attributes:
        exit_code: What the command line exits with when this reaches it:
            1 some jobs failed, 2 usage, 3 the store or the settings can't be used.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MediahostError):
    """The request makes no sense as it was put: a name, a value or a path is wrong."""

    exit_code = 2


class UnknownName(UsageError):
    """A name that nothing goes by; close matches are suggested."""

    def __init__(self, noun: str, name: str, known: Iterable[str], hint: str | None = None) -> None:
        from difflib import get_close_matches  # noqa: PLC0415 - for a user's mistake alone

        known = sorted(known)
        close = get_close_matches(name, known, n=1)
        suggestion = f"; did you mean {close[0]}?" if close else ""
        listing = f"There are: {', '.join(known)}." if known else f"There are no {noun}s yet."
        super().__init__(f"No {noun} named {name!r}{suggestion}", hint or listing)


class InvalidConfig(UsageError):
    """An action's config doesn't fit its fields."""


class InvalidPipeline(UsageError):
    """A pipeline that can't be run as it is written."""


class ActionConflict(UsageError):
    """Two plugins claim one action name."""


class SettingsError(MediahostError):
    """The settings can't be read or don't make sense."""

    exit_code = 3


class StoreError(MediahostError):
    """The store can't be used."""

    exit_code = 3


class IllegalTransition(MediahostError):
    """A job can't go from the status it has to the one asked for."""

    exit_code = 2


class PluginError(MediahostError):
    """A plugin can't be loaded, or broke the contract of its hooks."""


class InvalidMedia(MediahostError):
    """The media file is damaged, empty or of the wrong kind: trying again won't help."""


class TransientError(MediahostError):
    """Something outside failed and may work later: the job is worth another attempt."""


class Unavailable(MediahostError):
    """What an action needs is not here now: a model, a key, a library, a server, room on the disk.

    The media file is not at fault. It is kept, and tried again when what is missing may be there.
    """


class JobCancelled(BaseException):
    """The job was cancelled.

    It derives from BaseException so that a plugin's `except Exception` can't swallow it.
    """
