"""The program around its commands: global options, and what becomes of errors."""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from mediahost import __version__
from mediahost.cli import run
from mediahost.cli.output import examples
from mediahost.cli.plugin_commands import Commands
from mediahost.cli.state import state
from mediahost.errors import MediahostError
from mediahost.model.paths import display
from mediahost.plugin.installed import WITHOUT_VARIABLE

EXIT_STORE_OR_SETTINGS = 3
EXIT_FAULT = 70  # EX_SOFTWARE of sysexits.h


def new_app() -> typer.Typer:
    """The application with its global options and the one command that it can't be without."""
    app = typer.Typer(
        name="mediahost",
        cls=Commands,
        help="A local media host: plugins analyse and convert your files, once and correctly.\n\n"
        "Example: mediahost run ~/Recordings --action av.probe",
        epilog="Exit codes: 0 all good, 1 some jobs failed, 2 usage, 3 the store or the settings "
        "can't be used, 70 a fault of mediahost itself, 130 interrupted.",
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
    app.callback()(_options)
    return app


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"mediahost {__version__}")
        raise typer.Exit


def _options(
    *,
    settings: Annotated[
        Path | None, typer.Option(help="Read this settings file and no other.", metavar="FILE")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep store, artifacts and logs there.", metavar="DIR")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help="Leave this plugin out; may be given again.", metavar="NAME"),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks; log more.")] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Global options; they stand before the command."""
    from mediahost.cli.logs import log_to_stderr

    if without:
        # By the environment, which workers and hosts that are started have too.
        before = os.environ.get(WITHOUT_VARIABLE)
        os.environ[WITHOUT_VARIABLE] = os.pathsep.join([*([before] if before else []), *without])
    state.settings_file = settings
    state.data_dir = data_dir
    state.asks = True
    state.debug = debug or bool(os.environ.get("MEDIAHOST_DEBUG"))
    log_to_stderr(debug=state.debug)


def call(app: typer.Typer) -> int:
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
