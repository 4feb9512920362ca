"""Print the path of a Python of this machine: `python release/interpreter.py 3.12`.

Looks on PATH, then among those that pyenv keeps; a shim of pyenv that leads nowhere is passed over.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def candidates(version: str) -> Iterator[str]:
    """Paths where a Python of this version may be."""
    for folder in os.get_exec_path():
        found = shutil.which(f"python{version}", path=folder)
        if found:
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True))


def is_version(python: str, version: str) -> bool:
    """Whether a program runs and is a Python of this version."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() == version


def main() -> int:
    """Find it; returns the exit code."""
    version = sys.argv[1]
    found = next((path for path in candidates(version) if is_version(path, version)), None)
    if found is None:
        print(f"There is no Python {version} here.", file=sys.stderr)
        return 1
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
