"""`mediahost pipelines`: the recipes, shipped ones and those of the settings."""

from typing import TYPE_CHECKING, Annotated

import typer

from mediahost.cli.output import print_json
from mediahost.cli.state import state
from mediahost.model.paths import display

if TYPE_CHECKING:
    from mediahost.model.pipeline import Step


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
            typer.echo(f"  {display(_in_words(step))}")


def _in_words(step: "Step") -> str:
    text = step.name if step.name == step.action else f"{step.name}: {step.action}"
    config = ", ".join(f"{key}={value}" for key, value in step.config.items())
    if config:
        text += f" ({config})"
    if step.media:
        text += f", on what {step.media} made"
    if step.after:
        text += f", after {', '.join(step.after)}"
    return text
