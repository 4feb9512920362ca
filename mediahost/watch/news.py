"""News: what happened to a file of a watch, and to a watch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mediahost.model.paths import path_to_url
from mediahost.model.watch import FileState, WatchState


@dataclass(frozen=True, slots=True)
class News:
    """A file or, where `path` is the folder, a watch came to be in a state."""

    watch: str
    path: str
    state: FileState | WatchState
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "watch": self.watch,
            "path": path_to_url(self.path),
            "state": str(self.state),
            "reason": self.reason,
        }


Tell = Callable[[News], None]
