"""Nothing but `mediahost.partfile` opens a file for writing where a person may look."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

# What writes in folders of mediahost's own alone, or names what it has just made there; and why.
OWN = {
    "mediahost/cli/__init__.py": "the null device",
    "mediahost/executor/dask.py": "an attempt's log, in the data folder",
    "mediahost/executor/exchange.py": "moves what a worker handed over into the data folder",
    "mediahost/executor/joblog.py": "an attempt's log, in the data folder",
    "mediahost/host/artifacts.py": "from staging to the artifacts, in the data folder",
    "mediahost/host/life_locks.py": "locks of hosts, in the data folder",
    "mediahost/partfile.py": "the door",
    "mediahost/plugin/attempt.py": "in an attempt's own folder",
    "mediahost/remote/hub.py": "a download that is gone on with, under a lock",
    "mediahost/remote/part.py": "a download, in the cache folder, under a random name",
    "mediahost/store/sqlite_file.py": "the store itself, if nothing has its name",
    "mediahost/store/upgrade.py": "the backup of the store before an upgrade, under its lock",
    "mediahost/tui/crash_report.py": "a report, in the data folder, named after its moment",
    "mediahost/tui/hosts.py": "the log of a host, in the data folder",
    "mediahost/watch/aftermath.py": "gives a file of a moment ago its name again",
    "mediahost/watch/original.py": "takes a file from its name before it goes",
}
# Writers of files in an attempt's own folder.
WORKDIR = {
    "mediahost-audio",
    "mediahost-av",
    "mediahost-documents",
    "mediahost-images",
    "mediahost-subtitles",
}
# The kit for tests writes what tests name.
TESTING = "mediahost/testing/"

WRITING_METHODS = {"write_text", "write_bytes", "symlink_to", "hardlink_to"}
WRITING_FUNCTIONS = {
    "os": {"link", "rename", "renames", "replace", "truncate", "symlink", "mkfifo"},
    "shutil": {"copy", "copy2", "copyfile", "copytree", "move"},
    "tempfile": {"NamedTemporaryFile", "mkstemp"},
}
WRITING_FLAGS = {"O_WRONLY", "O_RDWR", "O_CREAT", "O_APPEND", "O_TRUNC"}


def _literal_mode(call: ast.Call, position: int) -> str:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    given += call.args[position : position + 1]
    return next((str(one.value) for one in given if isinstance(one, ast.Constant)), "r")


def _writes(call: ast.Call) -> bool:
    made = call.func
    if isinstance(made, ast.Name):
        return made.id == "open" and bool(set("wax+") & set(_literal_mode(call, 1)))
    if not isinstance(made, ast.Attribute):
        return False
    module = made.value.id if isinstance(made.value, ast.Name) else ""
    if module == "os" and made.attr == "open":
        names = {node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute)}
        return bool(names & WRITING_FLAGS)
    if module in WRITING_FUNCTIONS:
        return made.attr in WRITING_FUNCTIONS[module]
    return _is_writing_method(call, made.attr, module)


def _is_writing_method(call: ast.Call, name: str, module: str) -> bool:
    if name == "open":
        return bool(set("wax+") & set(_literal_mode(call, 0)))
    if name == "touch":
        return not call.args  # what is given an argument is no file
    # `text.replace(old, new)` has two arguments, `path.replace(target)` one.
    one_path = len(call.args) == 1 and not call.keywords and module != "dataclasses"
    return name in WRITING_METHODS or (name in {"replace", "rename"} and one_path)


def _written_in(file: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and _writes(node):
            yield node.lineno


def _sources() -> Iterator[tuple[str, Path]]:
    plugins = (path for path in ROOT.glob("plugins/mediahost-*/src") if _is_checked(path))
    for top in (ROOT / "mediahost", *plugins):
        for file in top.rglob("*.py"):
            yield str(file.relative_to(ROOT)), file


def _is_checked(source: Path) -> bool:
    return source.parent.name not in WORKDIR


def test_nothing_else_opens_a_file_for_writing() -> None:
    found = {name: list(_written_in(file)) for name, file in _sources()}
    writing = {name for name, lines in found.items() if lines and not name.startswith(TESTING)}
    others = {f"{name}:{found[name]}" for name in writing - OWN.keys()}
    assert not others, "write through mediahost.partfile, or say here why not"
    assert OWN.keys() <= writing, "these no longer write: take them from the list"


def test_the_rule_sees_what_writes() -> None:
    writes = (
        "open(path, 'w')", "path.open('ab')", "path.open(mode='x')", "path.write_text(text)",
        "os.open(path, os.O_WRONLY | os.O_CREAT)", "shutil.copyfile(a, b)", "part.replace(target)",
        "path.rename(target)", "os.link(a, b)",
    )  # fmt: skip
    reads = ("open(path)", "path.open('rb')", "os.open(path, os.O_RDONLY)", "text.replace('a', '')")
    for line, expected in [*((one, True) for one in writes), *((one, False) for one in reads)]:
        (call,) = (node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call))
        assert _writes(call) is expected, line
