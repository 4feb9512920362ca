"""In hand: the jobs that a host has claimed and whose ends it has not written yet."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mediahost.hashing import FileStat
from mediahost.model.job import ClaimedJob, Token
from mediahost.model.media import MediaFile


def _nothing() -> None:
    """A file of the user's own stays where it is without being held."""


@dataclass(slots=True, eq=False)
class Held:
    """A job in hand: one object for all that is known of it, from its claim to its commit.

    Attributes:
        job: What was claimed.
        charged_s: What its source was charged with beforehand.
        media: What the attempt reads, once it was prepared.
        stat: What that was like before the attempt began.
        let_go: Lets go of a copy that was fetched.
        begun: A worker runs it.
        withdrawn: It was claimed ahead and is to be given back.
        dropped: It is out of hand.
    """

    job: ClaimedJob
    charged_s: float = 0.0
    media: MediaFile | None = None
    stat: FileStat | None = None
    let_go: Callable[[], None] = _nothing
    begun: bool = False
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

    def take(self, jobs: Iterable[ClaimedJob]) -> list[Held]:
        """These were claimed."""
        taken = [Held(job) for job in jobs]
        self._held.update((held.job.token, held) for held in taken)
        return taken

    def get(self, token: Token) -> Held | None:
        """The job of this attempt, if it is in hand."""
        return self._held.get(token)

    def drop(self, held: Sequence[Held]) -> None:
        """These are done with, or given back."""
        for one in held:
            del self._held[one.job.token]
            one.dropped = True
            one.let_go()
