"""`python -m benchmarks`: measure, and print ratios to floors and peers of the same run."""

import argparse
import json
import os
import platform
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.report import Report, in_text

SUBJECTS = {
    "cached": "cached_rerun",
    "engine": "engine",
    "faults": "faults",
    "hashing": "hashing",
    "jobs": "jobs",
    "plugins": "plugins",
    "speech": "speech",
    "startup": "startup",
    "store": "store_scale",
    "tui": "tui",
    "watch": "watch",
}


def main() -> None:
    """Measure the subjects that were asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("subject", nargs="*", help=f"of {', '.join(SUBJECTS)}; none: all")
    parser.add_argument("--only", metavar="TEXT", help="of plugins, the actions with TEXT in them")
    parser.add_argument("--quick", action="store_true", help="fewer and smaller files")
    parser.add_argument("--files", type=int, help="of cached: so many tiny files", metavar="N")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args()
    for subject in asked.subject:
        if subject not in SUBJECTS:
            parser.error(f"{subject} is none of {', '.join(SUBJECTS)}")
    reports: list[Report] = []
    for subject in asked.subject or SUBJECTS:
        print(f"measuring {subject} ...", file=sys.stderr)
        module = import_module(f"benchmarks.{SUBJECTS[subject]}")
        asked_of_it: dict[str, int | str] = {}
        if asked.files and subject == "cached":
            asked_of_it["files"] = asked.files
        if asked.only and subject == "plugins":
            asked_of_it["only"] = asked.only
        reports.append(module.measure(quick=asked.quick, **asked_of_it))
    if asked.json:
        print(json.dumps({"machine": machine(), "reports": [one.to_json() for one in reports]}))
    else:
        print(f"{machine()}\n\n{in_text(reports)}")


def machine() -> str:
    """What this was measured on."""
    cpu = "an unknown processor"
    information = Path("/proc/cpuinfo")
    if information.exists():
        models = [
            line.partition(":")[2].strip()
            for line in information.read_text().splitlines()
            if line.startswith("model name")
        ]
        cpu = models[0] if models else cpu
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
