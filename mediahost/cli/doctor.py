"""`mediahost doctor`: is everything there that is needed."""

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mediahost import __version__
from mediahost.cli.output import print_json, size
from mediahost.cli.state import state
from mediahost.errors import MediahostError
from mediahost.installation import install_hint
from mediahost.model.finding import Finding
from mediahost.model.paths import display

if TYPE_CHECKING:
    from mediahost.plugin.registry import Registry
    from mediahost.settings import Settings

GLYPHS = {"ok": "✔", "warning": "!", "error": "✖"}
LOW_DISK_BYTES = 1_000_000_000


def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check settings, store, disk, workers and plugins."""
    findings = list(_examine())
    if as_json:
        print_json(
            [{"level": one.level, "message": one.message, "hint": one.hint} for one in findings]
        )
    else:
        for one in findings:
            typer.echo(f"{GLYPHS[one.level]} {display(one.message)}")
            if one.hint:
                typer.echo(f"  {display(one.hint)}")
    if any(one.level == "error" for one in findings):
        raise typer.Exit(1)


def _examine() -> Iterator[Finding]:
    version = platform.python_version()
    yield Finding("ok", f"mediahost {__version__} on Python {version}, {platform.system()}")
    try:
        settings = state.settings()
    except MediahostError as error:
        yield Finding("error", error.message, error.hint)
        return
    from mediahost.settings import settings_files

    files = [state.settings_file] if state.settings_file else settings_files(Path.cwd())
    read = [str(file) for file in files if file.exists()]
    yield Finding("ok", f"Settings from {', '.join(read) or 'defaults: there is no file'}")
    for check in (_data_dir, _store, _worker):
        yield from _guarded(check, settings)
    yield from _plugins()


def _guarded(check: Callable[["Settings"], Finding], settings: "Settings") -> Iterator[Finding]:
    try:
        yield check(settings)
    except MediahostError as error:
        yield Finding("error", error.message, error.hint)
    except OSError as error:
        yield Finding("error", f"{error.filename or check.__name__}: {error.strerror}")


def _data_dir(settings: "Settings") -> Finding:
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    free = shutil.disk_usage(settings.data_dir).free
    message = f"Data in {settings.data_dir}, {size(free)} free"
    if not os.access(settings.data_dir, os.W_OK):
        return Finding("error", f"{settings.data_dir} can't be written to")
    if free < LOW_DISK_BYTES:
        return Finding("warning", message, "Artifacts need room: free some, or set data_dir.")
    return Finding("ok", message)


def _store(settings: "Settings") -> Finding:
    from mediahost.host.mounts import file_system_of, is_shared
    from mediahost.wiring import make_store

    store = make_store(settings)
    path = store.database.location.path
    lies_on = file_system_of(str(path.parent)) if path else ""
    try:
        counts = store.count_jobs()
        foreign = store.count_foreign()
        ours = {status: number - foreign.get(status, 0) for status, number in counts.items()}
        told = [f"{number} {status}" for status, number in ours.items() if number]
        if foreign:
            told.append(f"{sum(foreign.values())} of another program")
        jobs = ", ".join(told)
        if is_shared(lies_on):
            return Finding(
                "warning",
                f"The store {path} lies on {lies_on}, where SQLite's locks don't work",
                "Move it to a local disk, or share a store on Postgres: mediahost docs store",
            )
        return Finding("ok", f"The store works ({store.algorithm}); jobs: {jobs or 'none yet'}")
    finally:
        store.close()


def _worker(settings: "Settings") -> Finding:
    from mediahost.wiring import check_executor

    check_executor(settings)
    return Finding("ok", f"A {settings.executor} worker starts; up to {settings.workers} run")


def _plugins() -> Iterator[Finding]:
    registry = state.registry()
    for row in registry.rows:
        if row.disabled:
            yield Finding(
                "warning",
                f"The plugin {row.name} is left out",
                f"Load it again: mediahost plugins enable {row.name}",
            )
        elif row.error:
            yield Finding("error", row.error, f"Repair or uninstall {row.distribution or row.name}")
        elif row.distribution != "mediahost":  # what is built in is no news
            actions = ", ".join(row.actions) or "no actions"
            yield Finding("ok", f"Plugin {row.name}: {actions}")
    if not any(row.actions for row in registry.rows):
        yield Finding(
            "warning", "No plugin has actions", f"Begin with: {install_hint('mediahost-av')}"
        )
    yield from _own_findings(registry)


def _own_findings(registry: "Registry") -> Iterator[Finding]:
    """What plugins say of themselves, each for itself."""
    from mediahost.plugin.calling import plugin_name

    faults: list[Finding] = []

    def note(key: str, error: BaseException) -> None:
        name = plugin_name(key)
        message = f"The plugin {name} can't examine itself: {type(error).__name__}: {error}"
        faults.append(Finding("error", message, f"Do without it: mediahost --without {name} ..."))

    for key, given in registry.calls.each("mediahost_diagnose", note):
        try:
            yield from list(given)
        except Exception as error:  # noqa: BLE001 - a stranger's code runs here
            note(key, error)
    yield from faults
