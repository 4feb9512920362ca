"""`mediahost plugins install` and `uninstall`."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediahost.cli.output import print_json
from mediahost.cli.state import state
from mediahost.errors import PluginError
from mediahost.installation import installable, installer
from mediahost.model.paths import display

if TYPE_CHECKING:
    from mediahost.executor.environments import Environment, Environments

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def install(
    *,
    requirements: Annotated[
        list[str],
        typer.Argument(
            help="The plugin, and what it should find beside it; as pip takes them.",
            metavar="REQUIREMENT",
        ),
    ],
    isolated: Annotated[
        bool | None,
        typer.Option("--isolated/--shared", help="In an environment of its own, or mediahost's."),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(help="Interpreter of the environment: a path or a version.", metavar="PYTHON"),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Take mediahost's own plugins from this checkout or folder of wheels.",
            metavar="FOLDER",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Replace what is installed with the newest version.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Install a plugin.

    An isolated plugin can't get in the way of others: it has its own versions of what it requires.
    mediahost's own plugins come from where mediahost was installed from, never from a public index.
    """
    settings = state.settings()
    apart = bool(python) or (settings.isolate_plugins if isolated is None else isolated)
    requirements = [
        found for one in requirements for found in installable(one, source, isolated=apart)
    ]
    if apart:
        environment = _environments().install(requirements, python)
        if as_json:
            print_json(_to_json(environment))
            return
        names = ", ".join(one["info"]["name"] for one in environment.actions)
        typer.echo(f"{environment.name} is installed with Python {environment.python}: {names}")
        return
    _call("install", *(["--upgrade"] if upgrade else []), *requirements)
    if as_json:
        print_json({"requirements": requirements, "environment": None})


def uninstall(
    *,
    name: Annotated[str, typer.Argument(help="The plugin's distribution.", metavar="NAME")],
    as_json: AsJson = False,
) -> None:
    """Uninstall a plugin, out of its own environment or mediahost's. Results stay."""
    from mediahost.errors import UnknownName

    environments = _environments()
    try:
        environments.uninstall(name)
    except UnknownName:
        from importlib.metadata import PackageNotFoundError, distribution

        try:
            distribution(name)
        except PackageNotFoundError:
            raise UnknownName(
                "plugin", name, [one.name for one in environments.all()], "mediahost plugins list"
            ) from None
        _call("uninstall", name)
    if as_json:
        print_json({"uninstalled": name})
    else:
        typer.echo(f"{display(name)} is uninstalled")


def _environments() -> "Environments":
    from mediahost.executor.environments import Environments

    return Environments(state.settings().plugins_dir)


def _to_json(environment: "Environment") -> dict[str, Any]:
    return {
        "name": environment.name,
        "requirements": list(environment.requirements),
        "python": environment.python,
        "environment": str(environment.folder),
        "actions": [one["info"]["name"] for one in environment.actions],
    }


def _call(verb: str, *arguments: str) -> None:
    """Install or uninstall in mediahost's own environment; output goes to standard error.

    Raises:
        PluginError: It failed.
    """
    done = subprocess.run([*installer(verb), *arguments], stdout=sys.stderr, check=False)
    if done.returncode:
        raise PluginError(f"The installer failed with exit code {done.returncode}; see above")
