"""What changed among the jobs of a store, for those who watch it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mediahost.model.job import JobStatus

# More changes at once than anybody wants to hear of one by one.
MOST_CHANGES = 2_000


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a watcher has read.

    Attributes:
        position: Place in the store's log of changes, in its own words.
        newest: The highest number of a job that was seen.
        counts: How many jobs there were of each status.
    """

    position: str
    newest: int
    counts: Mapping[JobStatus, int]


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened since a mark.

    Attributes:
        mark: Where to go on from; its counts are those of now.
        changed: Numbers of jobs that changed, each once.
        deleted: Numbers of jobs that are gone.
        added: Numbers of jobs that are new, in their order.
        progress: How far each attempt under way is, by its job's number: fraction, message.
        resync: There was more than these lists say: read again what is shown. The lists are empty
            then; the counts are right always.
    """

    mark: Mark
    changed: tuple[int, ...] = ()
    deleted: tuple[int, ...] = ()
    added: tuple[int, ...] = ()
    progress: Mapping[int, tuple[float, str]] = field(default_factory=dict)
    resync: bool = False

    @property
    def counts(self) -> Mapping[JobStatus, int]:
        """How many jobs there are of each status, none included."""
        return self.mark.counts
