"""The application: its commands, its global options, and what becomes of errors."""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from mediahost import __version__
from mediahost.cli import (
    care,
    demo,
    doctor,
    duplicates,
    export,
    hosts,
    job_log,
    job_steering,
    jobs,
    lineage,
    pauses,
    pipelines,
    plugin_install,
    plugins,
    results,
    run,
    search,
    stats,
    store,
    tui,
    verify,
    watch,
)
from mediahost.cli.output import examples
from mediahost.cli.plugin_commands import Commands
from mediahost.cli.state import state
from mediahost.errors import MediahostError
from mediahost.model.paths import display

EXIT_STORE_OR_SETTINGS = 3
EXIT_FAULT = 70  # EX_SOFTWARE of sysexits.h

app = typer.Typer(
    name="mediahost",
    cls=Commands,
    help="A local media host: plugins analyse and convert your files, once and correctly.\n\n"
    "Example: mediahost run ~/Recordings --action av.probe",
    epilog="Exit codes: 0 all good, 1 some jobs failed, 2 usage, 3 the store or the settings can't "
    "be used, 70 a fault of mediahost itself, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(
    "run",
    epilog=examples(
        "run ~/Films --action av.probe",
        "run talk.mp4 --action av.convert:format=mp3,audio_bitrate=96 --output .",
        "run ~/Recordings --pipeline talks --jobs 4",
    ),
)(run.run)
app.command("results", epilog=examples("results talk.mp4", "results talk.mp4 --json"))(
    results.results
)
app.command(
    "explain",
    epilog=examples("explain talk.mp4", "explain talk.mp4 --action av.convert:format=mp3"),
)(results.explain)
jobs.app.command(epilog=examples("jobs cancel 12 13", "jobs cancel --status pending"))(
    job_steering.cancel
)
jobs.app.command(epilog=examples("jobs retry 12", "jobs retry --filter 'state:failed age<2d'"))(
    job_steering.retry
)
jobs.app.command(epilog=examples("jobs delete 12", "jobs delete --status completed"))(
    job_steering.delete
)
jobs.app.command(
    epilog=examples("jobs priority 12 13 --to 5", "jobs priority --filter 'action:av.*' --by -1")
)(job_steering.priority)
jobs.app.command(
    "log", epilog=examples("jobs log 12", "jobs log 12 --attempt 1", "jobs log 12 --follow")
)(job_log.log)
jobs.app.command("pause", epilog=examples("jobs pause", "jobs pause --action speech.transcribe"))(
    pauses.pause
)
jobs.app.command("resume", epilog=examples("jobs resume", "jobs resume --source watch:talks"))(
    pauses.resume
)
app.command(
    "search",
    epilog=examples(
        "search best of times",
        "search 'hello there' --label speech --min 2s",
        "search --label scene --min 10s",
    ),
)(search.search)
app.command(
    "export",
    epilog=examples(
        "export talk.mp4 --format srt --output talk.srt", "export film.mp4 -f otio -a scenes.detect"
    ),
)(export.export)
app.command("duplicates", epilog=examples("duplicates ~/Pictures", "duplicates --distance 4"))(
    duplicates.duplicates
)
app.command("lineage", epilog=examples("lineage talk.mp3"))(lineage.lineage)
app.command("stats", epilog=examples("stats", "stats --hours 1 --json"))(stats.stats)
app.add_typer(jobs.app, name="jobs")
app.add_typer(hosts.app, name="hosts")
app.command("work", epilog=examples("work --drain", "work --jobs 2"))(run.work)
app.command("tui", epilog=examples("tui", "tui --theme light"))(tui.tui)
app.add_typer(watch.app, name="watch")
app.add_typer(plugins.app, name="plugins")
plugins.app.command(
    "install",
    epilog=examples(
        "plugins install mediahost-av", "plugins install mediahost-speech --isolated --python 3.12"
    ),
)(plugin_install.install)
plugins.app.command("uninstall", epilog=examples("plugins uninstall mediahost-speech"))(
    plugin_install.uninstall
)
app.command("pipelines", epilog=examples("pipelines"))(pipelines.pipelines)
store.app.command(epilog=examples("store backup /media/stick/store.db"))(care.backup)
store.app.command(epilog=examples("store copy store.db copy.db"))(care.copy)
store.app.command(epilog=examples("store check", "store check --json"))(care.check)
store.app.command(
    epilog=examples("store gc", "store gc --apply", "store gc --results-days 0 --max-gb 50")
)(care.gc)
app.add_typer(store.app, name="store")
app.command("verify", epilog=examples("verify", "verify ~/Films --json"))(verify.verify)
app.command("doctor", epilog=examples("doctor"))(doctor.doctor)
app.command("demo", epilog=examples("demo"))(demo.demo)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"mediahost {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    settings: Annotated[
        Path | None, typer.Option(help="Read this settings file and no other.", metavar="FILE")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep store, artifacts and logs there.", metavar="DIR")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks; log more.")] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Global options; they stand before the command."""
    from mediahost.cli.logs import log_to_stderr

    state.settings_file = settings
    state.data_dir = data_dir
    state.debug = debug or bool(os.environ.get("MEDIAHOST_DEBUG"))
    log_to_stderr(debug=state.debug)


def run_app() -> int:
    """Run the command of `sys.argv`; errors become a sentence, a hint and an exit code."""
    try:
        app(prog_name="mediahost")
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except MediahostError as error:
        _say(error.message, error.hint)
        return error.exit_code
    except OSError as error:
        about = f"{error.filename}: " if error.filename else ""
        _say(f"{about}{error.strerror or error}", None)
        return EXIT_STORE_OR_SETTINGS
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no traceback for the user
        _say(
            f"This is a fault of mediahost: {type(error).__name__}: {error}",
            None if state.debug else "See where it happened with: mediahost --debug ...",
        )
        return EXIT_FAULT
    return 0


def _say(message: str, hint: str | None) -> None:
    if state.debug:
        traceback.print_exc()
    sys.stderr.write(f"mediahost: {display(message)}\n")
    for line in (hint or "").splitlines():
        sys.stderr.write(f"  {display(line)}\n")
