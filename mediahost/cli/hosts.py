"""`mediahost hosts`: who else runs the jobs of this store."""

from dataclasses import asdict

import typer

from mediahost.cli.jobs import AsJson
from mediahost.cli.output import examples, local_time, print_json, print_table, seconds
from mediahost.cli.state import state
from mediahost.model.hosts import HostView

# Several heartbeats have failed to come by then.
SILENT_S = 30.0
MS_PER_S = 1000

app = typer.Typer(
    help="See the hosts that share this store.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def hosts() -> None:
    """See the hosts that share this store."""


@app.command("list", epilog=examples("hosts list", "hosts list --json"))
def list_hosts(*, as_json: AsJson = False) -> None:
    """List the hosts that share this store, and what they are at."""
    from mediahost.host.roster import Roster

    settings = state.settings()
    with state.store() as store:
        views = Roster(store, settings.data_dir, settings.lease_s).views()
    if as_json:
        print_json([_to_json(view) for view in views])
    elif views:
        columns = ("MACHINE", "PID", "STATUS", "RUNNING", "SLOTS", "EXECUTOR", "VERSION", "SINCE")
        print_table(columns, map(_cells, views))
    else:
        typer.echo("No host runs. Start one with: mediahost work")


def _status(view: HostView) -> str:
    if view.is_gone:
        return "gone"
    if view.silent_s > SILENT_S:
        return f"silent for {seconds(round(view.silent_s * MS_PER_S))}"
    return str(view.heartbeat.status)


def _cells(view: HostView) -> tuple[str, ...]:
    said = view.heartbeat
    return (
        said.machine,
        str(said.pid),
        _status(view),
        str(said.running),
        str(said.slots),
        said.executor,
        said.version,
        local_time(view.started_at),
    )


def _to_json(view: HostView) -> dict[str, object]:
    return {
        **asdict(view.heartbeat),
        "status": _status(view).partition(" ")[0],
        "started_at": view.started_at.isoformat(),
        "silent_ms": round(view.silent_s * MS_PER_S),
    }
