"""What the shell completes: names of actions and pipelines, numbers of jobs.

A completion is pressed for in the middle of a line: whatever goes wrong, it gives nothing and
says nothing. Nothing is made either: without a store there are no jobs to complete.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec

from mediahost.cli.state import state

MOST_JOBS = 50

Completion = tuple[str, str]
P = ParamSpec("P")


def _quietly(
    complete: Callable[[], Iterator[Completion]],
) -> Callable[[Any, str], list[Completion]]:
    def completed(ctx: Any, incomplete: str) -> list[Completion]:
        try:
            _take_global_options(ctx)
            return [one for one in complete() if one[0].startswith(incomplete)]
        except Exception:  # noqa: BLE001 - see the module's docstring
            return []

    return completed


def _take_global_options(ctx: Any) -> None:
    """The shell's call parses the line but runs no command, nor the application's callback."""
    options = ctx.find_root().params
    for option, name in (("settings", "settings_file"), ("data_dir", "data_dir")):
        if given := options.get(option):
            setattr(state, name, Path(given))


@_quietly
def actions() -> Iterator[Completion]:
    """Names of the actions of installed plugins."""
    for action in state.registry().actions():
        yield action.info.name, _first_line(action.__doc__)


@_quietly
def plugins_and_actions() -> Iterator[Completion]:
    """What `plugins show` takes."""
    registry = state.registry()
    for row in registry.rows:
        yield row.name, f"plugin {row.distribution}".rstrip()
    for action in registry.actions():
        yield action.info.name, _first_line(action.__doc__)


@_quietly
def pipelines() -> Iterator[Completion]:
    """Names of pipelines, the shipped ones too."""
    for name, pipeline in state.settings().all_pipelines.items():
        yield name, pipeline.description


@_quietly
def jobs() -> Iterator[Completion]:
    """Numbers of the newest jobs."""
    from mediahost.cli.output import place

    settings = state.settings()
    if settings.database_url is None and not Path(settings.store_url).exists():
        return
    with state.store() as store:
        newest = store.jobs(limit=MOST_JOBS)
    for job in newest:
        yield str(job.number), f"{job.status} {job.action} {place(job.media_url)}"


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
