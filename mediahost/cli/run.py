"""`mediahost run` and `mediahost work`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mediahost.cli.state import state
from mediahost.errors import UsageError

if TYPE_CHECKING:
    from mediahost.host.host import Host
    from mediahost.host.planner import Recipe


def run(
    *,
    paths: Annotated[
        list[str], typer.Argument(help="Files, and folders with all below them.", metavar="PATH...")
    ],
    action: Annotated[
        list[str] | None,
        typer.Option(
            "--action",
            "-a",
            help="An action with its config; may be given again.",
            metavar="NAME[:KEY=VALUE,...]",
        ),
    ] = None,
    pipeline: Annotated[
        str | None,
        typer.Option("--pipeline", "-p", help="A pipeline of the settings.", metavar="NAME"),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--jobs", "-j", help="How many jobs run at a time.", min=1, metavar="N"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Copy artifacts there.", metavar="DIR")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compute anew what is cached.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what to do.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Bring results up to date: run actions or a pipeline on media files, once for each content."""
    from mediahost.cli.progress import Watcher
    from mediahost.cli.summary import print_summary

    with state.host(workers=workers) as host:
        recipe = chosen_recipe(host, action or [], pipeline)
        with Watcher.on_stderr(quiet=as_json) as watcher:
            summary = host.run(
                paths,
                recipe,
                force=force,
                dry_run=dry_run,
                output=output,
                listener=watcher.listen,
                on_hashed=watcher.hashed,
            )
        print_summary(summary, as_json=as_json)
    if not summary.all_good:
        raise typer.Exit(1)


def chosen_recipe(host: "Host", actions: list[str], pipeline: str | None) -> "Recipe":
    """The recipe of `--action` and `--pipeline`, one of which there must be.

    Raises:
        UsageError: There is none, or both.
        UnknownName: An action or pipeline that nothing goes by.
        InvalidConfig: A config that doesn't fit.
    """
    from mediahost.cli.actions import pipeline_of

    if bool(actions) == bool(pipeline):
        raise UsageError(
            "Say what to do: --action NAME or --pipeline NAME, one of the two",
            "See what there is with: mediahost plugins list, mediahost pipelines",
        )
    if pipeline:
        return host.recipe(host.settings.pipeline(pipeline))
    return host.recipe(pipeline_of(actions), named=False)


def work(
    *,
    drain: Annotated[bool, typer.Option("--drain", help="Stop when no job is left.")] = False,
    workers: Annotated[
        int | None,
        typer.Option("--jobs", "-j", help="How many jobs run at a time.", min=1, metavar="N"),
    ] = None,
) -> None:
    """Run the jobs that wait in the store, such as retried ones."""
    from mediahost.cli.progress import Watcher

    with state.host(workers=workers) as host, Watcher.on_stderr() as watcher:
        host.work(watcher.listen, forever=not drain)
    if watcher.failed:
        raise typer.Exit(1)
