"""`mediahost watch`: folders whose files are processed as they come."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from mediahost.cli import complete
from mediahost.cli.output import examples, print_json, print_table
from mediahost.cli.paths import as_on_disk
from mediahost.cli.run import Workers
from mediahost.cli.state import state
from mediahost.errors import UnknownName, UsageError
from mediahost.installation import docs_hint
from mediahost.model.paths import display, expanded, url_to_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediahost.host.host import Host
    from mediahost.model.watch import Watch
    from mediahost.ports import WatchRow
    from mediahost.watch.enrolment import Enrolment

START = "start"


class _PathsOrCommand(TyperGroup):
    """What is no command's name is a folder: `mediahost watch ~/inbox`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the hidden command before folders and its options."""
        is_help = bool(args) and args[0] in ctx.help_option_names
        if not is_help and not (args and args[0] in self.commands):
            args = [START, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_PathsOrCommand,
    help="Process the files of folders as they come, each once it is whole.\n\n"
    "mediahost watch [PATH]... watches these folders, or all that the settings and `watch add` "
    "name; `mediahost watch start --help` shows its options.",
    epilog=examples("watch ~/inbox", "watch ~/inbox --action av.probe --once", "watch status"),
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Actions = Annotated[
    list[str] | None,
    typer.Option(
        "--action",
        "-a",
        help="An action with its config; may be given again.",
        metavar="NAME[:KEY=VALUE,...]",
        autocompletion=complete.actions,
    ),
]
PipelineName = Annotated[
    str | None,
    typer.Option(
        "--pipeline",
        "-p",
        help="A pipeline: shipped, or of the settings.",
        metavar="NAME",
        autocompletion=complete.pipelines,
    ),
]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", help="Copy artifacts there: a folder or a template."),
]
Settle = Annotated[
    float | None, typer.Option("--settle", help="Seconds that a file must be at rest.")
]
Fields = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any field of a watch; may be given again.", metavar="FIELD=VALUE"),
]
Name = Annotated[str, typer.Argument(help="A watch.", metavar="NAME")]
SomeNames = Annotated[
    list[str] | None, typer.Argument(help="Watches; all unless named.", metavar="NAME")
]


@app.command(START)
def start(
    *,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Folders; all known watches if none.", metavar="PATH", callback=as_on_disk
        ),
    ] = None,
    action: Actions = None,
    pipeline: PipelineName = None,
    output: Output = None,
    settle: Settle = None,
    once: Annotated[
        bool, typer.Option("--once", help="Process what is there, then stop: for cron.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done with each file.")
    ] = False,
    workers: Workers = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each thing that happens as a line of JSON.")
    ] = False,
) -> None:
    """Watch folders until interrupted: `mediahost watch PATH...` is short for this.

    Without --action and --pipeline the files are analysed by what says what they are.
    """
    from mediahost.cli.watching import preview, watch_all
    from mediahost.watch.enrolment import (
        enrol_settings,
        overlaid,
        plan_settings,
        write_enrolment,
    )

    asked = _steps(action, pipeline)
    asked |= {"output": output} if output is not None else {}
    asked |= {"settle_s": settle} if settle is not None else {}
    host, store = state.watched_host(workers=workers)
    with host:
        settings = plan_settings(host, store.watches())
        there = overlaid(store.watches(), settings)
        named = [_named(host, there, path, asked) for path in paths or []]
        names = [one.row.name for one in named] if paths else None
        rows = _to_run(overlaid(there, named), names)
        if dry_run:
            preview(host, store, rows, as_json=as_json)
            return
        for one in named:
            _refuse_a_running_one(host, one)
        enrol_settings(store, host, settings)
        for one in named:
            write_enrolment(store, one)
            if not as_json:
                _say_changes(one)
        rows = _to_run(store.watches(), names)
        failed = watch_all(host, store, rows, only=names, once=once, as_json=as_json)
    if failed and once:
        raise typer.Exit(1)


def _named(
    host: "Host", there: "Sequence[WatchRow]", path: str, asked: dict[str, Any]
) -> "Enrolment":
    """The watch that is on the folder already, with what is asked for now, or a new one.

    Nothing is written.
    """
    from mediahost.watch.enrolment import NAMED, Enrolment, plan_enrolment, watch_at
    from mediahost.watch.recipes import recipe_for, resolved_steps

    folder = expanded(path).absolute()
    if not folder.is_dir():
        raise UsageError(
            f"There is no folder {display(path)}",
            "Files are processed with `mediahost run`; a watch needs a folder.",
        )
    known = watch_at(there, folder)
    if known is not None and not asked:
        return Enrolment(known, known)
    rule = _changed(known, asked) if known else make_rule({"path": folder, **asked})
    steps = resolved_steps(host, rule)
    recipe_for(host, rule, steps)
    return plan_enrolment(there, rule, known.origin if known else NAMED, steps)


def _changed(row: "WatchRow", asked: dict[str, Any]) -> "Watch":
    """The rules of a watch with some fields changed; None brings the default back."""
    from mediahost.watch.recipes import RESOLVED

    fields = {key: value for key, value in row.rule.items() if key != RESOLVED}
    if "steps" in asked or "pipeline" in asked:
        fields.pop("steps", None)
        fields.pop("pipeline", None)
    fields |= asked
    kept = {key: value for key, value in fields.items() if value is not None}
    return make_rule({**kept, "path": url_to_path(row.path), "name": row.name})


def _refuse_a_running_one(host: "Host", enrolment: "Enrolment") -> None:
    """Who starts a second watch on a folder must not change the first by the way."""
    from mediahost.watch.enrolment import SETTINGS, in_the_settings, is_watched_elsewhere

    known, changes = enrolment.known, enrolment.changes
    if known is None or not changes:
        return
    if known.origin == SETTINGS:
        raise in_the_settings(known.name)
    if is_watched_elsewhere(known, host.roster, host.name):
        name = display(known.name)
        raise UsageError(
            f"{name} is watched by another mediahost process, by other rules: {changes[0]}",
            f"Change the rules with: mediahost watch edit {known.name}",
        )


def _say_changes(enrolment: "Enrolment") -> None:
    for change in enrolment.changes:
        typer.echo(f"{display(enrolment.row.name)}: {display(change)}")


def make_rule(values: dict[str, Any]) -> "Watch":
    """A watch of these fields.

    Raises:
        UsageError: One of them doesn't fit.
    """
    from pydantic import ValidationError

    from mediahost.model.faults import first_fault
    from mediahost.model.watch import Watch

    try:
        return Watch.model_validate(values)
    except ValidationError as error:
        raise UsageError(first_fault(error), docs_hint("watch")) from None


def _steps(action: list[str] | None, pipeline: str | None) -> dict[str, Any]:
    from mediahost.cli.actions import pipeline_of

    if action and pipeline:
        raise UsageError(
            "--action and --pipeline don't go together", "Give one, then run again with the other."
        )
    if action:
        return {"steps": pipeline_of(action).steps}
    return {"pipeline": pipeline} if pipeline else {}


def _to_run(there: "Sequence[WatchRow]", names: list[str] | None) -> "list[WatchRow]":
    """The watches of these names; None: all that are kept."""
    kept = ("settings", "command")
    rows = [row for row in there if (row.origin in kept if names is None else row.name in names)]
    if not rows:
        raise UsageError(
            "There is no folder to watch",
            "Name one: mediahost watch ~/inbox\n"
            "or keep one: mediahost watch add ~/inbox, or [[watch]] in mediahost.toml.",
        )
    return rows


@app.command(
    "add",
    epilog=examples(
        "watch add ~/inbox --action av.convert:format=mp3 --output ~/mp3",
        "watch add /mnt/nas/in --name nas --pipeline talks --set hours=22:00-06:00",
    ),
)
def add(
    *,
    path: Annotated[str, typer.Argument(help="A folder.", metavar="PATH", callback=as_on_disk)],
    name: Annotated[str, typer.Option("--name", help="What to call the watch.")] = "",
    action: Actions = None,
    pipeline: PipelineName = None,
    output: Output = None,
    settle: Settle = None,
    fields: Fields = None,
    as_json: AsJson = False,
) -> None:
    """Keep a watch: a running `mediahost watch` takes it up, later ones too.

    A watch that is there gets these rules in place of its own; `watch edit` changes some of them.
    """
    values: dict[str, Any] = {"path": expanded(path).absolute(), "name": name}
    values |= _asked(action, pipeline, output, settle, fields)
    rule = make_rule({key: value for key, value in values.items() if value is not None})
    if not rule.path.is_dir():
        raise UsageError(f"There is no folder {display(path)}", "Make it, then add it again.")
    _keep(rule, as_json=as_json)


@app.command(
    "edit",
    epilog=examples(
        "watch edit inbox --action av.convert:format=flac",
        "watch edit nas --set hours=20:00-08:00 --set output=",
    ),
)
def edit(
    *,
    name: Name,
    action: Actions = None,
    pipeline: PipelineName = None,
    output: Output = None,
    settle: Settle = None,
    fields: Fields = None,
    as_json: AsJson = False,
) -> None:
    """Change some rules of a watch, and say what changes; one that runs takes them up at once."""
    asked = _asked(action, pipeline, output, settle, fields)
    with state.store() as store:
        rows = {row.name: row for row in store.watches()}
    if name not in rows:
        raise UnknownName("watch", name, rows)
    if not asked:
        raise UsageError(
            "Nothing is to be changed",
            f"Say what: mediahost watch edit {name} --set hours=22:00-06:00",
        )
    _keep(_changed(rows[name], asked), as_json=as_json)


def _keep(rule: "Watch", *, as_json: bool) -> None:
    """Keep these rules, checked here, and say what is different now."""
    from mediahost.watch.enrolment import COMMAND, enrol

    host, store = state.watched_host()
    with host:
        enrolment = enrol(store, rule, COMMAND, host)
    if as_json:
        changes = enrolment.changes
        print_json({"name": rule.name, "path": str(rule.path), "changes": changes})
        return
    if enrolment.known and not enrolment.changes:
        typer.echo(f"{display(rule.name)} has these rules already")
    elif enrolment.known:
        _say_changes(enrolment)
    else:
        typer.echo(f"{display(rule.name)} watches {display(rule.path)}")
    typer.echo("A running `mediahost watch` takes it up; if there is none: mediahost watch")


def _asked(
    action: list[str] | None,
    pipeline: str | None,
    output: str | None,
    settle: float | None,
    fields: list[str] | None,
) -> dict[str, Any]:
    """The fields that the options name; None: the default again."""
    values = _steps(action, pipeline)
    values |= {"output": output} if output is not None else {}
    values |= {"settle_s": settle} if settle is not None else {}
    return values | _fields(fields or [])


def _fields(pairs: list[str]) -> dict[str, Any]:
    """`--set FIELD=VALUE`: lists are separated by commas."""
    from mediahost.model.watch import Watch

    values: dict[str, Any] = {}
    for pair in pairs:
        field, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(
                f"{pair!r} in --set is no FIELD=VALUE", "Write it as --set hours=22:00-06:00."
            )
        known = [one for one in Watch.model_fields if one not in ("path", "name", "steps")]
        if field not in known:
            raise UnknownName("field of a watch", field, known)
        is_list = field in ("include", "exclude", "kinds")
        # Nothing behind the sign: the default again.
        values[field] = (value.split(",") if is_list else value) if value else None
    return values


@app.command("list", epilog=examples("watch list"))
def list_watches(*, as_json: AsJson = False) -> None:
    """List the watches with what they do."""
    rows = _all_watches()
    if as_json:
        print_json([_about(row) for row in rows])
        return
    if not rows:
        typer.echo("No folder is watched yet: mediahost watch ~/inbox")
        return
    print_table(
        ("name", "folder", "does", "from", ""),
        [
            (
                display(row.name),
                display(url_to_path(row.path)),
                what_it_does(row),
                row.origin,
                "paused" if row.paused else "",
            )
            for row in rows
        ],
    )


def _all_watches() -> "list[WatchRow]":
    from mediahost.watch.enrolment import overlaid, plan_rules

    settings = state.settings()
    with state.store() as store:
        there = store.watches()
    # What the settings have is said, though the store learns of it at a start alone.
    return overlaid(there, plan_rules(there, settings.watch))


def what_it_does(row: "WatchRow") -> str:
    """A watch's steps in a few words."""
    if row.rule.get("pipeline"):
        return f"pipeline {row.rule['pipeline']}"
    steps = row.rule.get("steps") or []
    return ", ".join(step["action"] for step in steps) or "the default"


def _about(row: "WatchRow") -> dict[str, Any]:
    return {
        "name": row.name,
        "path": row.path,
        "origin": row.origin,
        "paused": row.paused,
        "rule": dict(row.rule),
    }


@app.command("pause", epilog=examples("watch pause inbox"))
def pause(*, names: SomeNames = None, as_json: AsJson = False) -> None:
    """Let watches rest; jobs under way are finished."""
    _change(names, "paused", as_json=as_json, paused=True)


@app.command("resume", epilog=examples("watch resume inbox"))
def resume(*, names: SomeNames = None, as_json: AsJson = False) -> None:
    """Go on with paused watches.

    Also with those that stopped because most of their files were gone: it says that they may be.
    """
    _change(names, "resumed", as_json=as_json, paused=False, accepted=True)


@app.command("scan", epilog=examples("watch scan", "watch scan inbox --failed"))
def scan(
    *,
    names: SomeNames = None,
    failed: Annotated[bool, typer.Option("--failed", help="Try again what failed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Have a running `mediahost watch` look at everything now."""
    if failed:
        _reopen_failed(names)
    _change(names, "will be looked at", as_json=as_json, scan_asked=True)


def _reopen_failed(names: list[str] | None) -> None:
    from mediahost.model.watch import FileState

    with state.store() as store:
        for row in store.watches():
            if names is None or row.name in names:
                store.reopen_watched(row.id, [FileState.FAILED], "to be tried again")


@app.command("remove", epilog=examples("watch remove inbox"))
def remove(*, name: Name, as_json: AsJson = False) -> None:
    """Forget a watch. Files, results and outputs stay."""
    with state.store() as store:
        rows = {row.name: row for row in store.watches()}
        if name not in rows:
            raise UnknownName("watch", name, rows)
        if rows[name].origin == "settings":
            raise UsageError(
                f"The watch {display(name)} is in the settings",
                "Take it out of mediahost.toml, or: mediahost watch pause " + name,
            )
        store.delete_watch(name)
    if as_json:
        print_json({name: "removed"})
    else:
        typer.echo(f"{display(name)} is no longer watched")


def _change(names: list[str] | None, said: str, *, as_json: bool, **values: object) -> None:
    with state.store() as store:
        known = [row.name for row in store.watches()]
        for name in names or known:
            if name not in known:
                raise UnknownName("watch", name, known)
        for name in names or known:
            store.change_watch(name, **values)
    changed = dict.fromkeys(names or known, said)
    if as_json:
        print_json(changed)
    elif not changed:
        typer.echo("No folder is watched yet: mediahost watch ~/inbox")
    for name in changed if not as_json else ():
        typer.echo(f"{display(name)}: {said}")


@app.command("status", epilog=examples("watch status", "watch status inbox --json"))
def status(*, names: SomeNames = None, as_json: AsJson = False) -> None:
    """Say how each watch is, and what is on its way in it and why."""
    from mediahost.cli.watch_status import print_status, statuses
    from mediahost.host.roster import Roster

    settings = state.settings()
    with state.store() as store:
        known = [row.name for row in store.watches()]
        for name in names or ():
            if name not in known:
                raise UnknownName("watch", name, known)
        roster = Roster(store, settings.data_dir, settings.lease_s)
        found = statuses(store, roster, names or known)
    if as_json:
        print_json([one.to_json() for one in found])
    elif not found:
        typer.echo("No folder is watched yet: mediahost watch ~/inbox")
    else:
        print_status(found)
