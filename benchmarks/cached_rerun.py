"""Nothing changed: a folder seen again, beside those who also look at each file."""

import gc
import os
import random
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from benchmarks import corpus, peers
from benchmarks.host import ACTION, Installation
from benchmarks.measure import REPEAT, Argv, Cost, command, function, once
from benchmarks.report import Report
from mediahost.hashing import RACY_NS, hash_bytes

if TYPE_CHECKING:
    from mediahost.host.host import Host
    from mediahost.host.planner import Recipe

TITLE = "Nothing changed: {files:,} recordings {size} seen again (CPU, medians)"

# From the performance goals: milliseconds, microseconds a file, and ratios.
IN_PROCESS_MS = 40
BY_MEMO_MS = 60
COMMAND_MS = 500
REPEATED_MS = 150
COMMAND_US_A_FILE = 10
AHEAD_OF_DVC = 8
ONE_CHANGED = 1.3

# The goals in milliseconds are for so many.
MANY = 10_000
# So few take hardly more than the start, and are enough not to be listed one by one.
SMALL = 100
# Of more than so many nothing is measured that keeps something of each.
MOST_LISTED = 100_000

DVC_ENVIRON = {"DVC_NO_ANALYTICS": "1"}
PROGRAMS = Path(__file__).parent / "programs"


def measure(*, quick: bool, files: int | None = None) -> Report:
    """Our whole command, its parts in process, and its peers.

    Args:
        quick: Fewer files.
        files: So many, and tiny ones; beside the file system alone, for the peers take too long.
    """
    if files:
        return _measure_tiny(files)
    files = 1000 if quick else 10_000
    folder = corpus.recordings(files)
    report = Report("cached", TITLE.format(files=files, size="of 1 to 100 KB"))
    ours = _ours(report, folder, files)
    _floors(report, folder, files)
    dvc = _peers(report, folder, files)
    report.at_most("the command takes at most 150 ms", ours.cpu_s * 1000, REPEATED_MS, "ms")
    _over_start(report, Installation.named(f"cached-{files}"), ours, files)
    report.at_least(
        "the command is 8 times ahead of dvc status", dvc.cpu_s / ours.cpu_s, AHEAD_OF_DVC, "x"
    )
    return report


def _measure_tiny(files: int) -> Report:
    folder = corpus.tiny_recordings(files)
    report = Report("cached", TITLE.format(files=files, size="of 52 bytes"))
    installation = Installation.named(f"tiny-{files}")
    if not installation.data_dir.exists():
        _cache_all(installation, folder)
    jobs = _jobs(installation)
    cached = command(installation.run(folder), environ=installation.environ, repeat=3)
    _note(report, "mediahost run, all cached", cached, files)
    report.at_most("new jobs for unchanged files", _jobs(installation) - jobs, 0, "jobs")
    _in_process(report, installation, folder, files)
    _floors(report, folder, files)
    _over_start(report, installation, cached, files)
    return report


def _over_start(report: Report, installation: Installation, cached: Cost, files: int) -> None:
    """What the command takes for a file besides its start: what it takes for a small folder."""
    run = installation.run(corpus.tiny_recordings(SMALL))
    once(run, environ=installation.environ)  # fills the cache, the first time
    small = command(run, environ=installation.environ)
    report.add(f"mediahost run, {SMALL} files, all cached", small.cpu_s * 1000, "ms")
    report.at_most(
        "the command takes at most 10 µs a file over its start",
        (cached.cpu_s - small.cpu_s) / (files - SMALL) * 1e6,
        COMMAND_US_A_FILE,
        "µs",
    )


def _cache_all(installation: Installation, folder: Path) -> None:
    """Fill the cache by the store's own doors, without workers, some thousand files at a time."""
    from mediahost.cli.actions import pipeline_of  # noqa: PLC0415 - other subjects measure without it
    from mediahost.host.files import FileHashes  # noqa: PLC0415 - as above
    from mediahost.host.found import FoundFile  # noqa: PLC0415 - as above
    from mediahost.host.planner import Planner, request_for  # noqa: PLC0415 - as above
    from mediahost.host.walk import Listing, walk  # noqa: PLC0415 - as above
    from mediahost.model.result import MediaAnalysisResult  # noqa: PLC0415 - as above
    from mediahost.ports import Completion  # noqa: PLC0415 - as above
    from mediahost.settings import load_settings  # noqa: PLC0415 - as above
    from mediahost.wiring import make_host  # noqa: PLC0415 - as above

    os.environ.update(installation.environ)
    result = MediaAnalysisResult()
    with make_host(load_settings(overrides={"data_dir": installation.data_dir})) as host:
        store = host.store
        recipe = host.recipe(pipeline_of([ACTION]), named=False)
        hashes = FileHashes(store, _Clock(), 1)
        planner = Planner(store, host.registry, hashes)
        told = hash_bytes(b"no result")

        def fill(listings: Sequence[Listing]) -> list[FoundFile]:
            files = [file for listing in listings for file in listing.files()]
            rows = planner.evaluate(recipe, hashes.of_found(files, []))
            store.submit([request_for(recipe, row, "benchmark") for row in rows])
            taken = store.claim("benchmark", len(rows), 600)
            store.commit("benchmark", [Completion(job, result, told, 1) for job in taken])
            return []

        walk([folder], sift=fill)


def _ours(report: Report, folder: Path, files: int) -> Cost:
    installation = Installation.named(f"cached-{files}")
    run = installation.run(folder)
    once(run, environ=installation.environ)  # fills the cache, the first time
    jobs = _jobs(installation)
    cached = command(run, environ=installation.environ)
    _note(report, "mediahost run, all cached", cached, files)
    anew = command(run, environ=installation.environ, before=lambda: _forget_calls(installation))
    _note(report, "mediahost run, all cached, in words not heard before", anew, files)
    report.at_most("new jobs for unchanged files", _jobs(installation) - jobs, 0, "jobs")
    report.at_most("in words not heard before at most 500 ms", anew.cpu_s * 1000, COMMAND_MS, "ms")
    _in_process(report, installation, folder, files)
    _one_changed(report, installation, folder, cached)
    return cached


def _one_changed(report: Report, installation: Installation, folder: Path, cached: Cost) -> None:
    """What a changed file costs among many, beside what it costs among few.

    Its job is all that a changed file costs among few: what runs jobs is loaded, a worker started,
    the result kept.
    """
    few = corpus.tiny_recordings(SMALL)
    among_many, among_few = (_with_one_changed(installation, where) for where in (folder, few))
    once(installation.run(few), environ=installation.environ)
    time.sleep(2 * RACY_NS / 1e9)
    unchanged = command(installation.run(few), environ=installation.environ)
    job = among_few.cpu_s - unchanged.cpu_s
    report.add("mediahost run, one file changed", among_many.cpu_s * 1000, "ms")
    report.add(f"the same among {SMALL}", among_few.cpu_s * 1000, "ms")
    report.add("so its job", job * 1000, "ms", f"less a run on the {SMALL} without a change")
    report.at_most(
        "one changed file takes at most 1.3 times as long, and its job",
        (among_many.cpu_s - job) / cached.cpu_s,
        ONE_CHANGED,
        "x",
    )


def _with_one_changed(installation: Installation, folder: Path) -> Cost:
    changing = min(folder.rglob("*.wav"))
    return command(
        installation.run(folder), environ=installation.environ, before=lambda: _rewrite(changing)
    )


def _forget_calls(installation: Installation) -> None:
    shutil.rmtree(installation.data_dir / "repeats", ignore_errors=True)


def _rewrite(path: Path) -> None:
    corpus.write_recording(path, 8000, random.Random())  # noqa: S311 - any other content


def _jobs(installation: Installation) -> int:
    from mediahost.store import open_store  # noqa: PLC0415 - other subjects measure without it

    store = open_store(installation.data_dir / "store.db")
    try:
        return sum(store.count_jobs().values())
    finally:
        store.close()


def _in_process(report: Report, installation: Installation, folder: Path, files: int) -> None:
    from mediahost.cached import CachedFolders  # noqa: PLC0415 - as above
    from mediahost.cli.actions import pipeline_of  # noqa: PLC0415 - as above
    from mediahost.host.walk import walk  # noqa: PLC0415 - as above
    from mediahost.settings import load_settings  # noqa: PLC0415 - as above
    from mediahost.store.glance import GlancedStore  # noqa: PLC0415 - as above
    from mediahost.wiring import make_host  # noqa: PLC0415 - as above

    os.environ.update(installation.environ)
    gc.set_threshold(100_000, 50, 50)  # as the command line does
    with make_host(load_settings(overrides={"data_dir": installation.data_dir})) as host:
        recipe = host.recipe(pipeline_of([ACTION]), named=False)
        repeat = REPEAT
        if files <= MOST_LISTED:
            _one_by_one(report, host, recipe, folder, files)
        else:
            repeat = 2
        walking = function(lambda: walk([folder], sift=lambda _listings: []), repeat=repeat)
        _note(report, "  in process: walk", walking, files)
        with patch.multiple(
            GlancedStore,
            recall_folders=lambda *_: CachedFolders(0, {}),
            remember_folders=lambda *_: None,
        ):
            comparing = function(lambda: host.run([folder], recipe, list_all=False), repeat=repeat)
        _note(report, "  in process: host.run, file by file by the memo", comparing, files)
        counting = function(lambda: host.run([folder], recipe, list_all=False), repeat=repeat)
        _note(report, "  in process: host.run, as the command does", counting, files)
    if files <= MANY:
        report.at_most(
            "by the memo at most 60 ms in process", comparing.cpu_s * 1000, BY_MEMO_MS, "ms"
        )
        report.at_most(
            "by whole folders at most 40 ms in process", counting.cpu_s * 1000, IN_PROCESS_MS, "ms"
        )


def _one_by_one(report: Report, host: "Host", recipe: "Recipe", folder: Path, files: int) -> None:
    """What a run costs that gives a row for each file, as `--json` has it."""
    from mediahost.host.files import FileHashes  # noqa: PLC0415 - as above
    from mediahost.host.planner import Planner  # noqa: PLC0415 - as above
    from mediahost.host.walk import walk  # noqa: PLC0415 - as above

    hashes = FileHashes(host.store, _Clock(), 1)
    planner = Planner(host.store, host.registry, hashes)
    found = walk([folder]).found
    roots = hashes.of_found(found, [])
    hashing = function(lambda: hashes.of_found(found, []))
    _note(report, "  in process: hashes by the memo, a row a file", hashing, files)
    planning = function(lambda: planner.evaluate(recipe, roots))
    _note(report, "  in process: evaluate, with find_hits", planning, files)
    running = function(lambda: host.run([folder], recipe))
    _note(report, "  in process: host.run, with a row a file", running, files)


class _Clock:
    def time_ns(self) -> int:
        return time.time_ns()


def _floors(report: Report, folder: Path, files: int) -> None:
    scan: Argv = [sys.executable, "-I", "-S", PROGRAMS / "scan.py", folder]
    _note(report, "python, scandir and stat", command(scan), files)
    if shutil.which("find"):
        _note(report, "find -printf", command(["find", folder, "-printf", "%s %T@ %p\n"]), files)


def _peers(report: Report, folder: Path, files: int) -> Cost:
    peers.install()
    if shutil.which("git"):
        _note(report, f"git status ({_git_version()})", _git_status(folder, files), files)
    memory: Argv = [
        peers.PYTHON,
        PROGRAMS / "joblib_memory.py",
        folder,
        corpus.WORK / f"joblib-{files}",
    ]
    name = f"joblib.Memory by content ({peers.version('joblib')})"
    _note(report, name, command(memory, repeat=3), files)
    tracked = _dvc_add(folder, files)
    dvc: Argv = [peers.PYTHON.with_name("dvc"), "status", "--quiet"]
    status = command(dvc, cwd=tracked.parent, environ=DVC_ENVIRON)
    _note(report, f"dvc status ({peers.version('dvc')})", status, files)
    return status


def _git_status(folder: Path, files: int) -> Cost:
    repository = corpus.WORK / f"git-{files}"
    git = ["git", f"--git-dir={repository}", f"--work-tree={folder}"]
    if not repository.exists():
        once([*git, "init", "--quiet"])
    once([*git, "add", "--all"])
    once([*git, "-c", "user.name=x", "-c", "user.email=x", "commit", "--allow-empty", "-qm", "x"])
    once([*git, "status"])
    return command([*git, "status"])


def _git_version() -> str:
    import subprocess  # noqa: PLC0415

    said = subprocess.run(["git", "version"], check=True, capture_output=True, text=True).stdout
    return said.split()[2]


def _dvc_add(folder: Path, files: int) -> Path:
    """A copy of the folder that DVC tracks."""
    project = corpus.WORK / f"dvc-{files}"
    tracked = project / "recordings"
    complete = project / ".complete"
    if not complete.exists():
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(folder, tracked)
        dvc = peers.PYTHON.with_name("dvc")
        command([dvc, "init", "--no-scm", "--force"], cwd=project, environ=DVC_ENVIRON, repeat=1)
        command([dvc, "add", "--quiet", "recordings"], cwd=project, environ=DVC_ENVIRON, repeat=1)
        complete.touch()
    return tracked


def _note(report: Report, name: str, cost: Cost, files: int) -> None:
    report.add(name, cost.cpu_s * 1000, "ms", f"{cost.cpu_s / files * 1e6:.1f} µs a file")
