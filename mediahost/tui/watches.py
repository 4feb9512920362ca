"""Watched folders as the screen Watch shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from mediahost.host.roster import Roster
from mediahost.model.watch import FileState
from mediahost.ports import WatchedFile, WatchRow, WatchStore

MOST_FILES = 20
ASKED_ABOUT = (FileState.FAILED, FileState.SETTLING, FileState.QUEUED, FileState.READY)


@dataclass(frozen=True, slots=True)
class WatchStanding:
    """How a watch is.

    Attributes:
        row: The watch.
        is_running: Whether some process watches it now.
        counts: How many files are in which state.
        files: The first of those that a person may ask about.
    """

    row: WatchRow
    is_running: bool
    counts: dict[FileState, int]
    files: dict[FileState, list[WatchedFile]]

    @property
    def state(self) -> str:
        """How it is, in a word."""
        if self.row.paused:
            return "paused"
        return str(self.row.health.get("state", "")) if self.is_running else "not running"


def watches_of(store: WatchStore, roster: Roster) -> Sequence[WatchStanding]:
    """All watches, by name."""
    return [
        WatchStanding(
            row,
            row.host is not None and not roster.is_gone(row.host),
            store.count_watched(row.id),
            {state: store.watched_by_state(row.id, [state], MOST_FILES) for state in ASKED_ABOUT},
        )
        for row in store.watches()
    ]
