"""Settling: when is a file whole?

It is when its stat stands still, no event comes, and nobody has it open for writing.
"""

import heapq
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from mediahost.hashing import FileStat
from mediahost.host.found import FoundFile
from mediahost.host.writers import Writers, writers_of
from mediahost.ports import WatchedFile

# After a close or a move into the folder, and nobody writing: what remains is a program that
# closes and opens again at once.
QUICK_S = 0.02

# A file that was taken and changed so soon after is written in pieces: don't believe its closes.
DISTRUST_S = 30.0

BUSY_FIRST_S = 0.25
BUSY_LONGEST_S = 2.0
UNREADABLE_S = 15.0
EMPTY_S = 60.0
YOUNG_S = 600.0


@dataclass
class Settler:
    """A file on its way to be whole.

    Attributes:
        file: What it was like when it was last looked at.
        known: What the store knows of it, if anything.
        since: Since when it stands still, by the monotonic clock.
        closed: It was closed after writing, or moved here, since it last changed.
        anew: Its content must be read, even if its stat is what it was.
        reason: Why it is not ready, for a person.
        began: When it was first looked at, by the monotonic clock.
        tries: How often it was found busy in a row.
        is_young: It is whole but not as old as it has to be.
    """

    file: FoundFile
    known: WatchedFile | None
    since: float
    closed: bool
    anew: bool = False
    reason: str = "it has just come"
    began: float = field(default_factory=time.monotonic)
    tries: int = 0
    is_young: bool = False

    @property
    def is_hopeful(self) -> bool:
        """Whether time alone makes it ready: nobody writes it, and it is not empty."""
        return self.tries == 0 and self.file.stat.size > 0 and not self.is_young


class Settling:
    """The files of one watch that are not whole yet.

    Args:
        settle_s: How long a file must stand still where no close was seen.
        follow_links: Look at what symbolic links lead to.
        min_age_s: How long ago its last change must be, whatever was seen.
    """

    def __init__(
        self, settle_s: float, *, follow_links: bool = False, min_age_s: float = 0.0
    ) -> None:
        self._min_age_s = min_age_s
        self._settle_s = settle_s
        self._follow_links = follow_links
        self._files: dict[str, Settler] = {}
        self._due: list[tuple[float, str]] = []

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[Settler]:
        return iter(self._files.values())

    def touch(
        self,
        file: FoundFile,
        known: WatchedFile | None,
        *,
        closed: bool,
        anew: bool = False,
    ) -> Settler:
        """A file was seen, or something happened to it."""
        now = time.monotonic()
        settler = self._files.get(file.path)
        if settler is None:
            settler = self._files[file.path] = Settler(file, known, now, closed, anew)
        else:
            settler.closed = closed or (settler.closed and settler.file.stat == file.stat)
            settler.file = file
            settler.since = now
            settler.anew |= anew
        heapq.heappush(self._due, (now + (QUICK_S if closed else 0), file.path))
        return settler

    def drop(self, path: str) -> None:
        """It is gone, or somebody else's business."""
        self._files.pop(path, None)

    @property
    def due(self) -> float | None:
        """When the next file should be looked at, by the monotonic clock."""
        return self._due[0][0] if self._due else None

    @property
    def is_due(self) -> bool:
        """Whether a file should be looked at now."""
        return bool(self._due) and self._due[0][0] <= time.monotonic()

    def check(self, most: int) -> tuple[list[Settler], list[Settler]]:
        """Look at the files that are due, at most so many.

        Returns:
            Those that are whole, and those that are gone. Neither settles any more.
        """
        ready: list[Settler] = []
        gone: list[Settler] = []
        now = time.monotonic()
        while self._due and self._due[0][0] <= now and len(ready) < most:
            _, path = heapq.heappop(self._due)
            settler = self._files.get(path)
            if settler is None:
                continue
            try:
                again = self._look(settler, now)
            except FileNotFoundError:
                gone.append(self._files.pop(path))
                continue
            if again is None:
                ready.append(self._files.pop(path))
            else:
                heapq.heappush(self._due, (again, path))
        return ready, gone

    def _look(self, settler: Settler, now: float) -> float | None:
        """When to look again, or None if the file is whole."""
        try:
            stat = FileStat.of(os.stat(settler.file.path, follow_symlinks=self._follow_links))  # noqa: PTH116
            writers = writers_of(settler.file.path)
        except FileNotFoundError:
            raise
        except OSError as error:
            settler.reason = f"it can't be read: {os.strerror(error.errno or 0)}"
            settler.tries += 1
            return now + UNREADABLE_S
        if stat != settler.file.stat:
            settler.file = settler.file._replace(stat=stat)
            settler.since, settler.closed = now, False
        if writers is Writers.SOME:
            settler.since, settler.closed = now, False
            settler.reason = "another program has it open for writing"
            settler.tries += 1
            return now + min(BUSY_FIRST_S * settler.tries, BUSY_LONGEST_S)
        settler.tries = 0
        return self._wait(settler, writers, now)

    def _wait(self, settler: Settler, writers: Writers, now: float) -> float | None:
        stat = settler.file.stat
        quiet = now - settler.since
        if writers is Writers.NONE:
            # The kernel's own clock says when it last changed, and nobody can be writing.
            age = time.time() - max(stat.mtime_ns, stat.ctime_ns) / 1e9
            quiet = max(quiet, age)
        quick = settler.closed and writers is Writers.NONE and not self._is_distrusted(settler)
        wait = (QUICK_S if quick and stat.size else self._settle_s) - quiet
        if wait > 0:
            settler.reason = f"at rest for {max(quiet, 0):.0f} of {self._settle_s:g} s"
            return now + wait
        young_s = self._min_age_s - (time.time() - max(stat.mtime_ns, stat.ctime_ns) / 1e9)
        settler.is_young = young_s > 0
        if settler.is_young:
            settler.reason = f"it is too young for {young_s / 3600:.1f} more hours (min_age_s)"
            return now + min(young_s, YOUNG_S)
        if stat.size == 0:
            settler.reason = "it is empty so far"
            return now + EMPTY_S
        return None

    @staticmethod
    def _is_distrusted(settler: Settler) -> bool:
        known = settler.known
        return (
            known is not None
            and known.file_hash is not None
            and time.time() - known.changed_at < DISTRUST_S
        )
