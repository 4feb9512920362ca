"""What a person wants to submit, as one screen tells another."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mediahost.tui.patience import Opening


class SubmitRequest(Opening):
    """Open the screen Submit, filled in so far.

    Args:
        action: Name of the action.
        config: Its field values.
        paths: Files and folders.
    """

    def __init__(
        self,
        action: str = "",
        config: Mapping[str, Any] | None = None,
        paths: Sequence[Path] = (),
    ) -> None:
        super().__init__()
        self.action = action
        self.config = dict(config or {})
        self.paths = tuple(paths)
