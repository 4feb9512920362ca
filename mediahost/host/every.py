"""Every: something done again every so often."""

import time
from dataclasses import dataclass


@dataclass
class Every:
    """Says when it is time again: at once at first, unless `due` says otherwise."""

    every_s: float
    due: float = 0.0

    def is_due(self) -> bool:
        """Whether it is time; then it is not again for `every_s` seconds."""
        now = time.monotonic()
        if now < self.due:
            return False
        self.due = now + self.every_s
        return True
