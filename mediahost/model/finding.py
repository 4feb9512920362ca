"""Findings: what `mediahost doctor` and plugins say about what they looked at."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """What `mediahost doctor` says about one thing that it looked at.

    Attributes:
        level: ok, warning or error.
        message: One sentence.
        hint: What to do about it, or None.
    """

    level: Literal["ok", "warning", "error"]
    message: str
    hint: str | None = None
