"""`mediahost pipelines`: the recipes, shipped ones and those of the settings."""

from typing import Annotated

import typer

from mediahost.cli.output import print_json
from mediahost.cli.state import state
from mediahost.model.paths import display


def pipelines(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List the pipelines, shipped ones and those of the settings, with their steps."""
    found = state.settings().all_pipelines
    if as_json:
        print_json({name: one.model_dump(mode="json") for name, one in found.items()})
        return
    for name, one in found.items():
        typer.echo(display(f"{name}  {one.description}".rstrip()))
        for step in one.steps:
            typer.echo(f"  {display(step.in_words)}")
