"""What a list has heard of and not looked at yet."""

from dataclasses import dataclass, field

from mediahost.model.changes import Changes

Progress = dict[int, tuple[float, str]]


@dataclass(slots=True)
class Due:
    """Changes that have come together since the last look.

    Attributes:
        everything: More has changed than the others say.
        changed: Numbers of jobs that changed or are gone.
        added: Whether there are new jobs.
        progress: How far jobs are now, by number.
    """

    everything: bool = False
    changed: set[int] = field(default_factory=set)
    added: bool = False
    progress: Progress = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.everything or self.changed or self.added or self.progress)

    def add(self, changes: Changes) -> None:
        """These came too."""
        self.everything |= changes.resync
        self.changed.update(changes.changed, changes.deleted)
        self.added |= bool(changes.added)
        self.progress = dict(changes.progress)

    def taken(self) -> "Due":
        """All of it; nothing is left here."""
        taken = Due(self.everything, self.changed, self.added, self.progress)
        self.everything, self.changed, self.added, self.progress = False, set(), False, {}
        return taken
