"""`mediahost tui`: watch jobs, steer them, look at results."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from mediahost.cli.output import print_json, print_table
from mediahost.cli.state import state
from mediahost.errors import UsageError


class Theme(StrEnum):
    """What the TUI looks like."""

    DARK = "dark"
    LIGHT = "light"
    ANSI = "ansi"
    ANSI_LIGHT = "ansi-light"


def tui(
    *,
    theme: Annotated[
        Theme, typer.Option("--theme", help="Colours; ansi takes the terminal's own 16.")
    ] = Theme.DARK,
    ascii_only: Annotated[
        bool, typer.Option("--ascii", help="Signs and bars in ASCII alone.")
    ] = False,
    keys: Annotated[
        bool, typer.Option("--keys", help="Print what keys do, by the names for tui_keys.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with --keys.")] = False,
) -> None:
    """Open the TUI: jobs at a glance, every result a key away.

    It works beside running hosts, and starts one on `h`. Quitting leaves hosts running.
    """
    if keys:
        _print_keys(as_json=as_json)
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("The TUI needs a terminal", "Elsewhere: mediahost jobs list --json")
    from mediahost.tui.run import run_tui

    said = run_tui(
        state.settings(), theme=theme, ascii_only=ascii_only, global_options=state.as_options()
    )
    typer.echo(said)


def _print_keys(*, as_json: bool) -> None:
    import mediahost.tui.app  # noqa: F401 - it knows all screens
    from mediahost.tui.keys import deeds

    known = deeds(state.settings().tui_keys).values()
    if as_json:
        print_json([deed._asdict() for deed in known])
    else:
        print_table(("NAME", "KEYS", "WHAT"), known)
