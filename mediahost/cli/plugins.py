"""`mediahost plugins`: what is installed, and what is wrong with it."""

import json
from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import typer

from mediahost.cli import complete
from mediahost.cli.output import examples, paragraph, print_json, print_table
from mediahost.cli.state import state
from mediahost.errors import UnknownName
from mediahost.model.paths import display

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from mediahost.plugin.action import Action
    from mediahost.plugin.registry import PluginRow, Registry

app = typer.Typer(
    help="List and show plugins and their actions.", no_args_is_help=True, rich_markup_mode=None
)

PluginName = Annotated[str, typer.Argument(help="A plugin or its distribution.", metavar="NAME")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list", epilog=examples("plugins list"))
def list_plugins(*, as_json: AsJson = False) -> None:
    """List installed plugins with their actions, or with what is wrong."""
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
            _say_error(row)


@app.command(epilog=examples("plugins show av", "plugins show av.convert"))
def show(
    *,
    name: Annotated[
        str,
        typer.Argument(
            help="A plugin or an action.",
            metavar="NAME",
            autocompletion=complete.plugins_and_actions,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Show a plugin with its actions, or an action with its config."""
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


@app.command(epilog=examples("plugins disable speech"))
def disable(*, name: PluginName, as_json: AsJson = False) -> None:
    """Load a plugin no longer, from the next call on. It stays installed."""
    from mediahost.plugin.installed import disabled, installed, under_development

    known = {point.name for point in installed()} | set(under_development())
    known |= {point.dist.name for point in installed() if point.dist}
    if name not in known:
        raise UnknownName("plugin", name, known)
    _keep_disabled({*disabled(), name})
    _say_enabled(name, is_enabled=False, as_json=as_json)


@app.command(epilog=examples("plugins enable speech"))
def enable(*, name: PluginName, as_json: AsJson = False) -> None:
    """Load a plugin again that was disabled."""
    from mediahost.plugin.installed import disabled

    if name not in disabled():
        raise UnknownName("disabled plugin", name, disabled())
    _keep_disabled({*disabled()} - {name})
    _say_enabled(name, is_enabled=True, as_json=as_json)


def _keep_disabled(names: set[str]) -> None:
    from mediahost.partfile import write_text
    from mediahost.plugin.installed import disabled_file

    path = disabled_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_text(path, "".join(f"{name}\n" for name in sorted(names)))


def _say_enabled(name: str, *, is_enabled: bool, as_json: bool) -> None:
    if as_json:
        print_json({"plugin": name, "enabled": is_enabled})
    else:
        typer.echo(f"{display(name)} is {'loaded again' if is_enabled else 'left out from now on'}")


def _registry() -> "Registry":
    return state.registry()


def _standing(row: "PluginRow") -> str:
    if row.disabled:
        return "(left out)"
    return "broken, see below" if row.error else "(no actions)"


def _show_plugin(row: "PluginRow", registry: "Registry", *, as_json: bool) -> None:
    if as_json:
        print_json(_row_json(row, registry))
        return
    typer.echo(f"{row.name}  ({row.distribution} {row.version})".rstrip())
    if row.error:
        _say_error(row)
    for action in registry.actions():
        if action.info.name in row.actions:
            _show_action(action)


def _say_error(row: "PluginRow") -> None:
    typer.echo(f"✖ {display(row.error or '')}")
    if state.debug and row.traceback:
        typer.echo(paragraph(row.traceback))


def _show_action(action: "type[Action]") -> None:
    info = action.info
    kinds = ", ".join(sorted(info.accepts))
    typer.echo(f"\n{info.name}  {info.kind}, version {info.version}, works on {kinds}")
    if action.__doc__:
        typer.echo(f"  {action.__doc__.strip().splitlines()[0]}")
    for name, field in action.model_fields.items():
        default = "required" if field.is_required() else f"default {_as_written(field)}"
        typer.echo(f"  {name}: {_values(field.annotation)}, {default}")
        if field.description:
            typer.echo(f"      {field.description}")


def _as_written(field: "FieldInfo") -> str:
    if field.default_factory is not None:
        return "computed"
    default = field.default
    return default if isinstance(default, str) and default else json.dumps(default, default=str)


def _values(annotation: Any) -> str:
    """What a field takes, in words: `int | null`, `mp3 | wav`."""
    origin = get_origin(annotation)
    if origin is Literal:
        return " | ".join(map(str, get_args(annotation)))
    if origin in (Union, UnionType):
        return " | ".join(map(_values, get_args(annotation)))
    if annotation is type(None):
        return "null"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " | ".join(str(member.value) for member in annotation)
    if origin is None and isinstance(annotation, type):
        return annotation.__name__
    return str(annotation).replace("typing.", "")


def _row_json(row: "PluginRow", registry: "Registry") -> dict[str, Any]:
    usable = {action.info.name: action for action in registry.actions()}
    return {
        "name": row.name,
        "distribution": row.distribution,
        "version": row.version,
        "error": row.error,
        "environment": row.environment or None,
        "disabled": row.disabled,
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
