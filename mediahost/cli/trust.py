"""`mediahost trust`, and the question on a terminal that does the same."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mediahost.cli.output import print_json
from mediahost.errors import UsageError
from mediahost.model.paths import display

if TYPE_CHECKING:
    from mediahost.trust import UntrustedSettings


def trust(
    *,
    folder: Annotated[
        Path | None,
        typer.Argument(help="The folder; the one where you are unless given.", metavar="FOLDER"),
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Trust the folder's settings file no longer.")
    ] = False,
    list_all: Annotated[
        bool, typer.Option("--list", help="List the settings files that you trust.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Trust the settings file of a folder, as it is now.

    Without trust its pipelines and its settings of the TUI count, and nothing else. After a change
    of the file it must be trusted again.
    """
    from mediahost.settings import FILE_NAME, untrusted_parts
    from mediahost.trust import TrustedFiles

    trusted = TrustedFiles()
    if list_all:
        _list(trusted.paths(), as_json=as_json)
        return
    path = (folder or Path.cwd()).absolute() / FILE_NAME
    if remove:
        removed = trusted.remove(path)
        words = "is no longer trusted" if removed else "was not trusted"
        _answer(path, [], words, as_json=as_json, is_trusted=False)
        return
    if not path.exists():
        raise UsageError(f"There is no settings file {path}", "Give the folder that has one.")
    content, parts = untrusted_parts(path)
    if parts:
        trusted.add(path, content)
        _answer(path, parts, "is trusted", as_json=as_json, is_trusted=True)
    else:
        words = "needs no trust: it sets nothing that does"
        _answer(path, parts, words, as_json=as_json, is_trusted=False)


def ask_to_trust(error: "UntrustedSettings") -> bool:
    """Ask the person on the terminal, if there is one; whether the file is trusted now."""
    from mediahost.trust import TrustedFiles

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    typer.echo(f"mediahost: {display(error.message)}", err=True)
    typer.echo("  Who wrote that file can have files changed and secrets sent.", err=True)
    if not typer.confirm("Trust it as it is now?", default=False, err=True):
        return False
    TrustedFiles().add(error.path, error.content)
    return True


def _list(paths: list[Path], *, as_json: bool) -> None:
    if as_json:
        print_json([str(path) for path in paths])
        return
    for path in paths:
        typer.echo(display(path))
    if not paths:
        typer.echo("No settings file of a folder is trusted")


def _answer(path: Path, parts: list[str], words: str, *, as_json: bool, is_trusted: bool) -> None:
    if as_json:
        print_json({"path": str(path), "trusted": is_trusted, "parts": parts})
        return
    typer.echo(f"{display(path)} {words}")
    for part in parts:
        typer.echo(f"  {display(part)}")
