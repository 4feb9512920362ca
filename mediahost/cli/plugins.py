"""`mediahost plugins`: what is installed, and what is wrong with it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediahost.cli.output import print_json, print_table
from mediahost.cli.state import state
from mediahost.errors import UnknownName

if TYPE_CHECKING:
    from mediahost.plugin.action import Action
    from mediahost.plugin.registry import PluginRow, Registry

app = typer.Typer(help="List and show plugins and their actions.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_plugins(*, as_json: AsJson = False) -> None:
    """Every installed plugin with its actions; a broken one with its error."""
    registry = _registry()
    if as_json:
        print_json([_row_json(row, registry) for row in registry.rows])
        return
    print_table(
        ("PLUGIN", "DISTRIBUTION", "VERSION", "ACTIONS"),
        (
            (row.name, row.distribution, row.version, ", ".join(row.actions) or _standing(row))
            for row in registry.rows
        ),
    )
    for row in registry.rows:
        if row.error:
            typer.echo(f"✖ {row.error}")
            if state.debug and row.traceback:
                typer.echo(row.traceback)


@app.command()
def show(
    *, name: Annotated[str, typer.Argument(help="A plugin or an action.")], as_json: AsJson = False
) -> None:
    """One plugin with its actions, or one action with its config."""
    registry = _registry()
    rows = [row for row in registry.rows if row.name == name]
    if rows:
        _show_plugin(rows[0], registry, as_json=as_json)
        return
    known = {row.name for row in registry.rows} | {
        action.info.name for action in registry.actions()
    }
    claimed = any(name in row.actions for row in registry.rows)
    if not claimed:
        raise UnknownName("plugin or action", name, known)
    action = registry.action(name)
    if as_json:
        print_json(_action_json(action))
    else:
        _show_action(action)


def _registry() -> "Registry":
    from mediahost.plugin.registry import Registry

    return Registry.load()


def _standing(row: "PluginRow") -> str:
    return "broken, see below" if row.error else "(no actions)"


def _show_plugin(row: "PluginRow", registry: "Registry", *, as_json: bool) -> None:
    if as_json:
        print_json(_row_json(row, registry))
        return
    typer.echo(f"{row.name}  ({row.distribution} {row.version})".rstrip())
    if row.error:
        typer.echo(f"✖ {row.error}")
    for action in registry.actions():
        if action.info.name in row.actions:
            _show_action(action)


def _show_action(action: "type[Action]") -> None:
    info = action.info
    kinds = ", ".join(sorted(info.accepts))
    typer.echo(f"\n{info.name}  {info.kind}, version {info.version}, works on {kinds}")
    if action.__doc__:
        typer.echo(f"  {action.__doc__.strip().splitlines()[0]}")
    for name, field in action.model_fields.items():
        default = "required" if field.is_required() else f"default {field.get_default()!r}"
        about = f"  {field.description}" if field.description else ""
        typer.echo(f"  {name}: {_type_name(field.annotation)}, {default}.{about}")


def _type_name(annotation: Any) -> str:
    return getattr(annotation, "__name__", None) or str(annotation).replace("typing.", "")


def _row_json(row: "PluginRow", registry: "Registry") -> dict[str, Any]:
    usable = {action.info.name: action for action in registry.actions()}
    return {
        "name": row.name,
        "distribution": row.distribution,
        "version": row.version,
        "error": row.error,
        "actions": [
            _action_json(usable[name]) if name in usable else {"name": name} for name in row.actions
        ],
    }


def _action_json(action: "type[Action]") -> dict[str, Any]:
    info = action.info
    return {
        "name": info.name,
        "kind": info.kind,
        "version": info.version,
        "accepts": sorted(info.accepts),
        "description": (action.__doc__ or "").strip(),
        "config": action.model_json_schema(),
    }
