"""`mediahost tui`: watch jobs, steer them, look at results."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

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
) -> None:
    """Open the TUI: jobs at a glance, every result a key away.

    It works beside running hosts, and starts one on `h`. Quitting leaves hosts running.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("The TUI needs a terminal", "Elsewhere: mediahost jobs list --json")
    from mediahost.tui.run import run_tui

    said = run_tui(
        state.settings(), theme=theme, ascii_only=ascii_only, global_options=state.as_options()
    )
    typer.echo(said)
