"""Build the source archive and the wheel of mediahost and of each of its plugins.

python release/dist.py [--output FOLDER]
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECTS = [ROOT, *sorted((ROOT / "plugins").glob("mediahost-*"))]


def build(project: Path, output: Path) -> None:
    """Build a project's distributions; what hatchling prints is shown where it fails.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    argv = [sys.executable, "-m", "hatchling", "build", "--directory", str(output)]
    subprocess.run(argv, cwd=project, check=True, capture_output=True, text=True)


def main() -> int:
    """Build all; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    output = parser.parse_args().output.absolute()
    shutil.rmtree(output, ignore_errors=True)
    for project in PROJECTS:
        try:
            build(project, output)
        except subprocess.CalledProcessError as error:
            print(f"{project.name} can't be built:\n{error.stderr}", file=sys.stderr)
            return 1
    for path in sorted(output.iterdir()):
        print(f"{path.stat().st_size / 1e6:6.2f} MB  {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
