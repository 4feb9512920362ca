"""`mediahost store`: look at the store and care for it."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mediahost.cli.output import examples, print_json, size
from mediahost.cli.state import state
from mediahost.model.paths import display

if TYPE_CHECKING:
    from mediahost.store.upgrade import Upgrade

WAIT_S = 1.0

app = typer.Typer(
    help="Look at the store and care for it.", no_args_is_help=True, rich_markup_mode=None
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command(epilog=examples("store info", "store info --json"))
def info(*, as_json: AsJson = False) -> None:
    """Say where the store is, how large it is, and how old its schema."""
    from mediahost.store.about import describe

    about = describe(state.settings().store_url)
    if as_json:
        print_json(asdict(about))
        return
    old = about.schema != about.newest_schema
    facts = {
        "store": display(about.where),
        "kind": about.kind,
        "schema": f"{about.schema or 'none'}{f' (newest: {about.newest_schema})' if old else ''}",
        "hashes": about.algorithm or "",
        "size": size(about.size_bytes),
        **{f"rows of {name}": f"{count:,}" for name, count in about.rows.items() if count},
    }
    width = max(map(len, facts))
    for name, value in facts.items():
        if value:
            typer.echo(f"{name:<{width}}  {value}")


@app.command(epilog=examples("store upgrade"))
def upgrade(
    *,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until no host uses the store any more.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the store's schema to the version that this mediahost needs.

    Hosts that use the store must end first.
    """
    done = _upgraded(wait=wait)
    if as_json:
        print_json(asdict(done))
    elif done.before == done.after:
        typer.echo(f"The store is up to date: schema {done.after}")
    else:
        typer.echo(f"The store went from schema {done.before or 'none'} to {done.after}")
    if done.backup and not as_json:
        typer.echo(f"As it was before it is kept in {display(done.backup)}")


def _upgraded(*, wait: bool) -> "Upgrade":
    """Upgrade, at once or when no host uses the store any more.

    Raises:
        StoreError: It can't be upgraded, or hosts use it and nobody wants to wait.
    """
    from mediahost.host.life_locks import LifeLocks
    from mediahost.store.about import upgrade_at
    from mediahost.store.live_hosts import HostsLive

    settings = state.settings()
    is_gone = LifeLocks(settings.data_dir).is_let_go
    said = ""
    while True:
        try:
            return upgrade_at(settings.store_url, is_gone)
        except HostsLive as error:
            if not wait:
                raise
            if error.message != said:
                typer.echo(f"Waiting: {error.message}", err=True)
                said = error.message
            time.sleep(WAIT_S)
