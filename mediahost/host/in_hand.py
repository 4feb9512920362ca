"""In hand: the jobs that a host has claimed and whose ends it has not written yet."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mediahost.hashing import FileStat
from mediahost.model.job import LOSSES_TO_RUN_ALONE, ClaimedJob, Token
from mediahost.model.media import MediaFile


def _nothing() -> None:
    """A file of the user's own stays where it is without being held."""


@dataclass(slots=True, eq=False)
class Held:
    """A job in hand: one object for all that is known of it, from its claim to its commit.

    Attributes:
        job: What was claimed.
        claimed_at: When, by the monotonic clock.
        ahead: The store knows nothing of its beginning.
        charged_s: What its source was charged with beforehand.
        media: What the attempt reads, once it was prepared.
        stat: What that was like before the attempt began.
        let_go: Lets go of a copy that was fetched.
        begun_at: When a worker began to run it, by the monotonic clock.
        withdrawn: It was claimed ahead and is to be given back.
        dropped: It is out of hand.
    """

    job: ClaimedJob
    claimed_at: float = 0.0
    ahead: bool = False
    charged_s: float = 0.0
    media: MediaFile | None = None
    stat: FileStat | None = None
    let_go: Callable[[], None] = _nothing
    begun_at: float | None = None
    withdrawn: bool = False
    dropped: bool = False


class InHand:
    """The jobs in hand, by token."""

    def __init__(self) -> None:
        self._held: dict[Token, Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Held]:
        return iter(tuple(self._held.values()))

    def take(self, jobs: Iterable[ClaimedJob], *, ahead: bool = False) -> list[Held]:
        """These were claimed; ahead: no slot is free for them yet."""
        now = time.monotonic()
        taken = [Held(job, now, ahead or job.losses >= LOSSES_TO_RUN_ALONE) for job in jobs]
        self._held.update((held.job.token, held) for held in taken)
        return taken

    def get(self, token: Token) -> Held | None:
        """The job of this attempt, if it is in hand."""
        return self._held.get(token)

    def drop(self, held: Sequence[Held]) -> None:
        """These are done with, or given back."""
        for one in held:
            self._held.pop(one.job.token, None)
            one.dropped = True
            one.let_go()
