"""Start-up: how long commands take that do next to nothing."""

import sys

from benchmarks.host import PROGRAM, Installation
from benchmarks.measure import Cost, command
from benchmarks.report import Report

TITLE = "Start-up (CPU, medians; byte-compiled, the interpreter included)"

VERSION_MS = 80
HELP_MS = 130


def measure(*, quick: bool) -> Report:
    """Commands, and the imports that they can't do without."""
    report = Report("startup", TITLE)
    environ = Installation.named("startup").environ
    repeat = 5 if quick else 15

    def python(*arguments: str) -> Cost:
        return command([sys.executable, *arguments], repeat=repeat)

    def mediahost(*arguments: str) -> Cost:
        return command([PROGRAM, *arguments], environ=environ, repeat=repeat)

    _note(report, "python -c pass", python("-c", "pass"))
    _note(report, "import mediahost", python("-c", "import mediahost"))
    _note(report, "import typer", python("-c", "import typer"))
    _note(report, "import pydantic, and a model", python("-c", _MODEL))
    _note(report, "import sqlalchemy", python("-c", "import sqlalchemy"))
    _note(report, "import sqlmodel", python("-c", "import sqlmodel"))
    _note(report, "import mediahost.wiring", python("-c", "import mediahost.wiring"))
    version = _note(report, "mediahost --version", mediahost("--version"))
    overview = _note(report, "mediahost --help", mediahost("--help"))
    _note(report, "mediahost run --help", mediahost("run", "--help"))
    _note(report, "mediahost jobs list", mediahost("jobs", "list"))
    _note(report, "mediahost plugins list", mediahost("plugins", "list"))
    report.at_most("--version takes at most 80 ms", version, VERSION_MS, "ms")
    report.at_most("--help takes at most 130 ms", overview, HELP_MS, "ms")
    return report


_MODEL = "import pydantic; type('M', (pydantic.BaseModel,), {'__annotations__': {'a': int}})"


def _note(report: Report, name: str, cost: Cost) -> float:
    return report.add(name, cost.cpu_s * 1000, "ms", f"{cost.wall_s * 1000:.0f} ms wall")
