"""`mediahost models`: which models plugins know, where they lie, and how to download them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediahost.cli.output import examples, print_json, print_table, size
from mediahost.cli.state import state
from mediahost.errors import UnknownName
from mediahost.model.paths import display

if TYPE_CHECKING:
    from mediahost.plugin.models import PinnedModel

app = typer.Typer(
    help="List, find and download the models that actions use.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="A model, by its name in the list.", metavar="NAME")]


@app.command("list", epilog=examples("models list"))
def list_models(*, as_json: AsJson = False) -> None:
    """List the models that installed plugins know, and where each lies."""
    models = _models().values()
    if as_json:
        print_json([_as_json(model) for model in models])
        return
    print_table(
        ("MODEL", "SIZE", "LICENCE", "SOURCE", "FOLDER"),
        (
            (model.name, size(model.size), model.licence, model.repository, _folder(model))
            for model in models
        ),
    )


@app.command(epilog=examples("models where base"))
def where(*, name: Name, as_json: AsJson = False) -> None:
    """Check the files of a model and print its folder."""
    model = _model(name)
    folder = model.checked()
    if as_json:
        print_json(_as_json(model))
    else:
        typer.echo(display(str(folder)))


@app.command(epilog=examples("models get base", "models get tiny.en"))
def get(*, name: Name, as_json: AsJson = False) -> None:
    """Download a model from the hub, unless it is here. Its files are checked by their SHA-256."""
    from mediahost.plugin.models import ModelMismatch, ModelMissing

    model = _model(name)
    try:
        folder = model.checked()
    except (ModelMissing, ModelMismatch):
        from mediahost.remote import hub

        typer.echo(
            f"Downloading {model.name}, {size(model.size)}, licence {model.licence}, "
            f"from {model.repository} at {hub.endpoint()}",
            err=True,
        )
        folder = hub.fetch(model)
    if as_json:
        print_json(_as_json(model))
    else:
        typer.echo(f"{model.name} is in {display(str(folder))}, each file as published.")


def _models() -> "dict[str, PinnedModel]":
    given = state.registry().calls.each("mediahost_register_models")
    return {model.name: model for _, models in given for model in models}


def _model(name: str) -> "PinnedModel":
    models = _models()
    if name not in models:
        raise UnknownName("model", name, models)
    return models[name]


def _folder(model: "PinnedModel") -> str:
    folder = model.found()
    return display(str(folder)) if folder else "not on this machine"


def _as_json(model: "PinnedModel") -> dict[str, Any]:
    folder = model.found()
    return {
        "name": model.name,
        "size": model.size,
        "licence": model.licence,
        "repository": model.repository,
        "revision": model.revision,
        "hashes_from": model.hashes_from,
        "files": [file._asdict() for file in model.files],
        "folder": str(folder) if folder else None,
    }
