"""The application: its commands, its global options, and what becomes of errors."""

import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from mediahost import __version__
from mediahost.cli import demo, doctor, jobs, pipelines, plugins, results, run
from mediahost.cli.state import state
from mediahost.errors import MediahostError

app = typer.Typer(
    name="mediahost",
    help="A local media host: plugins analyse and convert your files, once and correctly.",
    epilog="Exit codes: 0 all good, 1 some jobs failed, 2 usage, 3 store or settings unusable.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("work")(run.work)
app.add_typer(jobs.app, name="jobs")
app.command("results")(results.results)
app.command("explain")(results.explain)
app.add_typer(plugins.app, name="plugins")
app.command("pipelines")(pipelines.pipelines)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)


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
    debug: Annotated[bool, typer.Option(help="Show tracebacks; log more.")] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Global options."""
    state.settings_file = settings
    state.data_dir = data_dir
    state.debug = debug or bool(os.environ.get("MEDIAHOST_DEBUG"))
    logging.basicConfig(
        level=logging.DEBUG if state.debug else logging.ERROR, format="%(name)s: %(message)s"
    )


def run_app() -> int:
    """Run the command of `sys.argv`; errors become a sentence, a hint and an exit code."""
    # Names of files may not be UTF-8, nor may the terminal be.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    _add_plugin_commands(sys.argv[1:])
    try:
        app(prog_name="mediahost")
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except MediahostError as error:
        _explain(error.message, error.hint)
        return error.exit_code
    except BrokenPipeError:  # `mediahost jobs list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        about = f"{error.filename}: " if error.filename else ""
        _explain(f"{about}{error.strerror or error}", None)
        return 3
    return 0


def _explain(message: str, hint: str | None) -> None:
    if state.debug:
        traceback.print_exc()
    sys.stderr.write(f"mediahost: {message}\n")
    if hint:
        sys.stderr.write(f"  {hint}\n")


def _add_plugin_commands(arguments: list[str]) -> None:
    """Plugins are loaded for their commands only where no built-in one is meant."""
    names = [argument for argument in arguments if not argument.startswith("-")]
    built_in = {info.name for info in app.registered_commands}
    built_in |= {info.name for info in app.registered_groups}
    if not names or names[0] in built_in or "_MEDIAHOST_COMPLETE" in os.environ:
        return
    from mediahost.plugin.registry import Registry

    hook: Any = Registry.load().plugins.hook
    for given in hook.mediahost_register_commands():
        for name, command in given.items():
            if name in built_in:
                continue
            if isinstance(command, typer.Typer):
                app.add_typer(command, name=name)
            else:
                app.command(name)(command)
