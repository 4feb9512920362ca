"""`mediahost run` and `mediahost work`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mediahost.cli import complete
from mediahost.cli.output import counted, interrupted, paused
from mediahost.cli.paths import as_on_disk
from mediahost.cli.state import state
from mediahost.errors import UsageError
from mediahost.installation import install_hint
from mediahost.model.paths import display, is_remote

if TYPE_CHECKING:
    from mediahost.cli.reading import Reading
    from mediahost.host.host import Host
    from mediahost.host.planner import Recipe
    from mediahost.host.run import Summary
    from mediahost.host.unchanged import Asked

WAITING = "waiting for jobs; stop with Ctrl-C"

Workers = Annotated[
    int | None,
    typer.Option("--jobs", "-j", help="How many jobs run at a time.", min=1, metavar="N"),
]


Executor = Annotated[
    str | None,
    typer.Option(help="Where attempts run: local, inline, dask.", metavar="NAME"),
]

Scheduler = Annotated[
    str | None,
    typer.Option(help="Dask's scheduler, such as tcp://host:8786.", metavar="ADDRESS"),
]


def run(
    *,
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Files, and folders with all below them.", metavar="PATH", callback=as_on_disk
        ),
    ],
    action: Annotated[
        list[str] | None,
        typer.Option(
            "--action",
            "-a",
            help="An action with its config; may be given again.",
            metavar="NAME[:KEY=VALUE,...]",
            autocompletion=complete.actions,
        ),
    ] = None,
    pipeline: Annotated[
        str | None,
        typer.Option(
            "--pipeline",
            "-p",
            help="A pipeline: shipped, or of the settings.",
            metavar="NAME",
            autocompletion=complete.pipelines,
        ),
    ] = None,
    workers: Workers = None,
    executor: Executor = None,
    scheduler: Scheduler = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help=(
                "Copy artifacts to this folder, or by a template such as out/{folder}/{stem}. "
                "The setting output_times says which change time copies get."
            ),
            metavar="DIR",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compute anew what is cached.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if a result is incomplete, too.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Run actions or a pipeline on files; skip what is cached.

    Folders are searched for media files. Each action runs once for each content: a file that was
    renamed, moved or copied is still cached.
    """
    from mediahost.cli.progress import Waiting
    from mediahost.cli.reading import Reading
    from mediahost.cli.repeat import note_of
    from mediahost.cli.stopping import interruptible
    from mediahost.cli.summary import print_summary
    from mediahost.cli.terminal import progress_on_stderr

    reading, note = Reading(), note_of(sys.argv[1:])
    with (
        state.host(
            workers=workers, executor=executor, scheduler=scheduler, reading=reading
        ) as host,
        interruptible(host.interrupt, interrupted),
    ):
        if not (action or pipeline):
            raise UsageError(*_what_to_say(host, paths))
        _check_output(output)
        with reading:
            recipe = chosen_recipe(host, action or [], pipeline)
            asked = host.repeatable(recipe)
        with progress_on_stderr(quiet=as_json) as watcher:
            summary = host.run(
                paths,
                recipe,
                force=force,
                dry_run=dry_run,
                output=output,
                list_all=as_json,
                sifted=state.sifted,
                # Not asked before there is a job: what is all cached needs no database.
                listener=Waiting(watcher, lambda: host.store.pauses()).listen,  # noqa: PLW0108
                on_hashed=watcher.hashed,
                on_fetching=watcher.fetching,
                on_lacking=_say_lack,
            )
        print_summary(summary, recipe, as_json=as_json)
        if note and asked and not (force or dry_run or output or as_json):
            _remember(host, paths, summary, note=note, asked=asked, reading=reading)
    if not summary.all_good or (strict and summary.incomplete):
        raise typer.Exit(1)


def _say_lack(step: str, lack: str) -> None:
    """Say at once what is missing, not after hours of other steps."""
    message, _, hint = lack.partition("\n")
    typer.echo(f"mediahost: {display(step)} can't run: {display(message)}", err=True)
    for line in hint.splitlines():
        typer.echo(f"  {display(line)}", err=True)


def _check_output(output: str | None) -> None:
    """Refuse a template that is wrong before anything runs.

    Raises:
        UsageError: It is.
    """
    from mediahost.model.watch import TEMPLATE_FIELDS, check_template

    try:
        check_template(output or "", TEMPLATE_FIELDS.keys() - {"watch"})
    except ValueError as error:
        raise UsageError(f"--output can't be {display(output or '')}: {error}") from None


def chosen_recipe(host: "Host", actions: list[str], pipeline: str | None) -> "Recipe":
    """The recipe of `--action` or `--pipeline`.

    Raises:
        UsageError: Both are given.
        UnknownName: An action or pipeline that nothing goes by.
        InvalidConfig: A config that doesn't fit.
    """
    from mediahost.cli.actions import pipeline_of

    if actions and pipeline:
        raise UsageError(
            "--action and --pipeline don't go together", "Give one, then run again with the other."
        )
    if pipeline:
        return host.recipe(host.settings.pipeline(pipeline))
    return host.recipe(pipeline_of(actions), named=False)


def _remember(
    host: "Host",
    paths: list[str],
    summary: "Summary",
    *,
    note: Path,
    asked: "list[Asked]",
    reading: "Reading",
) -> None:
    """Note what the call came to, for the next in the same words."""
    from mediahost.cli.repeat import Repeat, remember
    from mediahost.host.unchanged import FEW
    from mediahost.plugin.installed import disabled_file, under_development
    from mediahost.settings import PIPELINES, settings_files
    from mediahost.trust import TrustedFiles

    settings = host.settings
    few = not summary.unlisted and len(summary.rows) <= FEW
    if few or state.debug or settings.database_url:
        return
    if any(map(is_remote, paths)) or not all(map(os.path.isdir, paths)):
        return
    if state.sifted and state.sifted.unchanged.asked == asked:
        return
    files = [state.settings_file] if state.settings_file else settings_files(Path.cwd())
    remember(
        note,
        Repeat(
            [os.path.abspath(path) for path in paths],  # noqa: PTH100 - names may not be UTF-8
            [str(folder) for folder in host.skipped_folders],
            settings.store_url,
            settings.hash_algorithm,
            asked,
        ),
        reading,
        # The plugins by their names: one may be a link to another file next time.
        [
            *files,
            PIPELINES,
            TrustedFiles().folder,
            settings.plugins_dir,
            *under_development(),
            disabled_file(),
        ],
    )


def _what_to_say(host: "Host", paths: list[str]) -> tuple[str, str]:
    """What somebody needs to know who has said on what to work, but not what to do."""
    actions = [action.info.name for action in host.registry.actions()]
    pipelines = list(host.settings.all_pipelines)
    if pipelines:
        example = f"--pipeline {pipelines[0]}"
    else:
        example = f"--action {'av.probe' if 'av.probe' in actions else (actions or ['NAME'])[0]}"
    hints = [f"For example: mediahost run {display(paths[0])} {example}"]
    hints.append(f"Actions: {', '.join(actions)}" if actions else install_hint("mediahost-av"))
    if pipelines:
        hints.append(f"Pipelines: {', '.join(pipelines)}")
    return "Say what to do: --action NAME or --pipeline NAME", "\n".join(hints)


def work(
    *,
    drain: Annotated[bool, typer.Option("--drain", help="Stop when no job is left.")] = False,
    workers: Workers = None,
    executor: Executor = None,
    scheduler: Scheduler = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each event as a line of JSON.")
    ] = False,
) -> None:
    """Run the jobs that wait in the store, such as retried ones.

    Without --drain it waits for more. Interrupted or terminated, it claims no more and finishes
    what runs; asked twice, it stops at once and gives its jobs back.
    """
    from mediahost.cli.progress import JsonLines
    from mediahost.cli.stopping import stopping_gently
    from mediahost.cli.terminal import progress_on_stderr

    with state.host(workers=workers, executor=executor, scheduler=scheduler) as host:
        watcher = JsonLines(sys.stdout) if as_json else progress_on_stderr(idle=WAITING)
        if pauses := host.store.pauses():
            typer.echo(paused(pauses), err=True)
        with watcher, stopping_gently(host.drain) as stop:
            host.work(watcher.listen, forever=not drain)
    if not as_json:
        typer.echo(f"{counted(watcher.ended, 'job')} ended, {watcher.failed:,} of them failed")
    if watcher.failed and not stop.asked:
        raise typer.Exit(1)
