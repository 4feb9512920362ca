"""The hooks: where a plugin joins the host.

Each docstring gives four facts: when the hook fires, what its parameters are, whether it stops at
the first result, and where it runs.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from mediahost.model.event import Event
from mediahost.model.finding import Finding
from mediahost.model.info import MediaInfo
from mediahost.model.media import MediaFile
from mediahost.model.result import Result
from mediahost.plugin.action import Action
from mediahost.plugin.context import Context

if TYPE_CHECKING:
    from mediahost.plugin.models import PinnedModel
    from mediahost.ports import ExecutorFactory

PROJECT = "mediahost"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def mediahost_register_actions() -> Iterable[type[Action]]:  # type: ignore[empty-body]
    """Give the action classes of this plugin.

    Fires: once, when plugins are loaded. Parameters: none.
    First result: no, the actions of all plugins count. Runs in: the host and each worker.
    """


@hookspec
def mediahost_register_executors() -> Mapping[str, "ExecutorFactory"]:  # type: ignore[empty-body]
    """Give executors by the name that the settings call them.

    Fires: when the host looks for the executor that the settings name. Parameters: none.
    First result: no, the executors of all plugins count. Runs in: the host.
    """


@hookspec(firstresult=True)
def mediahost_probe_media(path: Path) -> MediaInfo | None:
    """Tell container, duration, streams and tags of a media file, or None if you can't.

    Fires: when an action calls `context.probe`. Parameters: `path`, a regular file.
    First result: yes. Runs in: a worker.
    """


@hookspec
def mediahost_plan_jobs(media: MediaFile, proposed: list[Any]) -> None:
    """Add, drop or edit what is about to be submitted for a media file, in place.

    Fires: after a watch or `run` has chosen the steps for a file, before keys are looked up.
    Parameters: `media`, the file; `proposed`, a list of `mediahost.model.pipeline.Step`.
    First result: no, each plugin sees what the one before left. Runs in: the host.
    """


@hookspec(firstresult=True)
def mediahost_run_action(action: Action, media: MediaFile, context: Context) -> Result | None:
    """Run one attempt and give its result, or None to leave it to the next plugin.

    Fires: for each attempt. The host's own implementation comes last and calls `analyze` or
    `process`; wrap it (`hookimpl(wrapper=True)`) to do something before and after.
    Parameters: `action` with its config, `media`, and the attempt's `context`.
    First result: yes. Runs in: a worker.
    """


@hookspec
def mediahost_worker_started(worker: str) -> None:
    """Get ready to run attempts.

    Fires: once in each worker, after plugins are loaded. Parameters: `worker`, its name.
    First result: no. Runs in: a worker.
    """


@hookspec
def mediahost_worker_stopping(worker: str) -> None:
    """Clean up. A worker that is killed never comes here.

    Fires: once in each worker that ends in order. Parameters: `worker`, its name.
    First result: no. Runs in: a worker.
    """


@hookspec
def mediahost_host_started(settings: Mapping[str, Mapping[str, Any]]) -> Collection[str] | None:
    """Get ready to hear of events. Raise `SettingsError` for settings that you can't follow.

    Return the kinds of event that `mediahost_event` is to be called for, as text or as
    `EventKind`; None: all. What nobody wants to hear costs no job anything. Who wants no kind at
    all isn't told of runs either, nor of each host that finds nothing to do.

    Fires: once in each host, before it runs its first job.
    Parameters: `settings`, the tables `[plugins.NAME]` of the settings, by name.
    First result: no. Runs in: the host.
    """


@hookspec
def mediahost_event(event: Event) -> None:
    """Learn what happened to a job; notifiers live here.

    Fires: after the fact is in the store. Parameters: `event`, a fact about one job.
    First result: no, and a plugin that raises keeps nothing from the others.
    Runs in: the host, on the thread that runs jobs: be quick.
    """


@hookspec
def mediahost_run_finished(summary: Mapping[str, Any]) -> None:
    """Learn how a run ended: what `mediahost run` was asked for is done, as far as it can be.

    Fires: at the end of each run that was not interrupted, after the events of its jobs; not for a
    plugin whose `mediahost_host_started` asked for no kind of event at all.
    Parameters: `summary`, with `counts` (how many steps ended in which state), `problems` (how
    many files could not be used) and `seconds`.
    First result: no. Runs in: the host.
    """


@hookspec
def mediahost_watch_changed(watch: str, state: str, reason: str) -> None:
    """Learn how a watched folder is, from the host that watches it.

    Fires: when its state changes, and when all files that are there are through (`idle`); not for a
    plugin whose `mediahost_host_started` asked for no kind of event at all.
    Parameters: `watch`, its name; `state`, such as `watching`, `resting` (something is missing, or
    the place of the outputs is full), `missing`, `faulty` or `idle`; `reason`, in words: what is
    missing, or how many files were done and failed since it was idle last.
    First result: no. Runs in: the host, on one of several threads, one call at a time.
    """


@hookspec
def mediahost_host_stopping() -> None:
    """Finish what you have in hand, within a few seconds. A host that is killed never comes here.

    Fires: once in each host that `mediahost_host_started` was called in, at its end.
    Parameters: none. First result: no. Runs in: the host.
    """


@hookspec
def mediahost_register_commands() -> Mapping[str, Any]:  # type: ignore[empty-body]
    """Give commands for the command line: by name, a function or a typer application.

    Fires: when `mediahost` is called with a command that is not built in; with `--help` too, if
    the source of any plugin names this hook.
    Parameters: none. First result: no. Runs in: the host.
    """


@hookspec
def mediahost_register_views() -> Mapping[str, Any]:  # type: ignore[empty-body]
    """Give views of results for the TUI: by action name, what makes a Textual widget.

    It is called with a `mediahost.tui.views.Shown` for each result that is looked at. Import
    Textual, and the parts in `mediahost.tui.parts`, within this function.

    Fires: when the TUI starts. Parameters: none.
    First result: no. Runs in: the TUI.
    """


@hookspec
def mediahost_register_models() -> Iterable["PinnedModel"]:  # type: ignore[empty-body]
    """Give the models that actions of this plugin know by name.

    Each is a `mediahost.plugin.models.PinnedModel`: its files with their SHA-256, and where they
    are published.

    Fires: on `mediahost models`. Parameters: none.
    First result: no, the models of all plugins count. Runs in: the host.
    """


@hookspec
def mediahost_diagnose() -> Iterable[Finding]:  # type: ignore[empty-body]
    """Say whether what this plugin needs is there.

    Fires: on `mediahost doctor`. Parameters: none.
    First result: no. Runs in: the host.
    """
