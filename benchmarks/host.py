"""The host as its user calls it: the installed program, with a data folder of its own."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corpus import WORK
from benchmarks.measure import Argv

PROGRAM = Path(sys.executable).with_name("mediahost")
PLUGIN = Path(__file__).with_name("noop.py")
ACTION = "bench.noop"


@dataclass(frozen=True, slots=True)
class Installation:
    """A store of its own, and the no-op plugin."""

    data_dir: Path

    @classmethod
    def named(cls, name: str, *, empty: bool = False) -> "Installation":
        """The one of that name, left from an earlier call unless it must be empty."""
        data_dir = WORK / f"data-{name}"
        if empty:
            shutil.rmtree(data_dir, ignore_errors=True)
        return cls(data_dir)

    @property
    def environ(self) -> dict[str, str]:
        """What the program's environment must have."""
        return {"MEDIAHOST_DATA_DIR": str(self.data_dir), "MEDIAHOST_PLUGINS": str(PLUGIN)}

    def run(self, folder: Path) -> Argv:
        """The command that brings the folder up to date."""
        return [PROGRAM, "run", folder, "--action", ACTION]
