"""Pauses: what a person has said shall wait."""

from typing import NamedTuple

from mediahost.model.kept import KeptEnum


class PauseKind(KeptEnum):
    """What a pause is about."""

    ALL = "all"
    SOURCE = "source"
    ACTION = "action"


class Pause(NamedTuple):
    """Jobs that no host claims until they are resumed.

    Attributes:
        kind: All jobs, those of a source, or those of an action.
        name: Of the source or the action; empty for all.
    """

    kind: PauseKind
    name: str = ""

    def holds(self, source: str, action: str) -> bool:
        """Whether jobs of this source and action wait."""
        return self.kind is PauseKind.ALL or self.name == (
            source if self.kind is PauseKind.SOURCE else action
        )
