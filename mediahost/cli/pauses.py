"""`mediahost jobs pause` and `resume`: have jobs wait, on every host."""

from typing import Annotated, Any

import typer

from mediahost.cli import complete
from mediahost.cli.jobs import AsJson
from mediahost.cli.output import paused, print_json
from mediahost.cli.state import state
from mediahost.model.pause import Pause, PauseKind

Sources = Annotated[
    list[str] | None,
    typer.Option("--source", help="Of this source; may be given again."),
]
Actions = Annotated[
    list[str] | None,
    typer.Option(
        "--action",
        "-a",
        help="Of this action; may be given again.",
        autocompletion=complete.actions,
    ),
]


def pause(*, source: Sources = None, action: Actions = None, as_json: AsJson = False) -> None:
    """Have jobs wait, on every host: all, of a source, of an action. Running ones go on."""
    with state.store() as store:
        store.pause(_asked(source, action))
        _show(store.pauses(), as_json=as_json)


def resume(*, source: Sources = None, action: Actions = None, as_json: AsJson = False) -> None:
    """Have paused jobs go on: those of a source or an action, or whatever was paused."""
    with state.store() as store:
        named = source or action
        store.resume(_asked(source, action) if named else store.pauses())
        _show(store.pauses(), as_json=as_json)


def _asked(sources: list[str] | None, actions: list[str] | None) -> list[Pause]:
    named = [Pause(PauseKind.SOURCE, name) for name in sources or ()]
    named += [Pause(PauseKind.ACTION, name) for name in actions or ()]
    return named or [Pause(PauseKind.ALL)]


def _show(pauses: list[Pause], *, as_json: bool) -> None:
    if as_json:
        print_json([_to_json(one) for one in pauses])
    elif pauses:
        typer.echo(paused(pauses))
    else:
        typer.echo("Nothing is paused.")


def _to_json(pause: Pause) -> dict[str, Any]:
    return {"kind": str(pause.kind), "name": pause.name}
