"""Install packages with pip and say how far it is: what is fetched, how much, what is done with it.

    python release/install.py [PIP ARGUMENT ...]

Needs nothing but the standard library, for it runs before anything is installed.
"""

import os
import re
import subprocess
import sys
from collections import deque
from typing import IO

# A package below this is not worth a line of its own where lines can't be rewritten.
LARGE_MB = 5.0
KEPT_LINES = 25

_FETCHED = re.compile(
    r"\s*(Downloading|Using cached) (?P<file>\S+) \((?P<size>[\d.]+) (?P<unit>\w+)\)"
)
_UNITS = {"bytes": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}


class Progress:
    """What pip has said so far, in a line that is rewritten on a terminal."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._rewrites = out.isatty()
        self._packages = 0
        self._megabytes = 0.0

    def take(self, line: str) -> None:
        """Show what a line of pip's output means for the person who waits."""
        fetched = _FETCHED.match(line)
        if fetched:
            megabytes = float(fetched["size"]) * _UNITS.get(fetched["unit"], 0.0)
            self._packages += 1
            self._megabytes += megabytes
            package = fetched["file"].rpartition("/")[2].partition("-")[0]
            self._say(
                f"{self._packages} packages, {self._megabytes:.0f} MB: {package}",
                lasting=megabytes >= LARGE_MB,
            )
        elif line.startswith("Installing collected packages:"):
            self._say(f"unpacking {line.count(',') + 1} packages", lasting=True)

    def end(self) -> None:
        """Leave the line."""
        if self._rewrites:
            self._out.write("\r\033[K")
            self._out.flush()

    def _say(self, text: str, *, lasting: bool) -> None:
        if self._rewrites:
            self._out.write(f"\r\033[K  {text}"[:100])
        elif lasting:
            self._out.write(f"  {text}\n")
        self._out.flush()


def main(arguments: list[str]) -> int:
    """Run pip; returns its exit code, after the end of its output where it failed."""
    argv = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *arguments]
    last: deque[str] = deque(maxlen=KEPT_LINES)
    progress = Progress(sys.stderr)
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as pip:
        assert pip.stdout  # noqa: S101 - a pipe was asked for
        for line in pip.stdout:
            last.append(line)
            progress.take(line)
    progress.end()
    if pip.returncode:
        sys.stderr.writelines(last)
        print("\nThe installation failed; the lines above say why.", file=sys.stderr)
    return pip.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
