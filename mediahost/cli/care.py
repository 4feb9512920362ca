"""`mediahost store backup`, `gc` and `check`: care for the store and the data folder."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mediahost.cli.output import counted, print_json, print_table, size
from mediahost.cli.state import state
from mediahost.model.paths import display, path_to_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediahost.host.checkup import Checkup
    from mediahost.host.garbage import Waste

MOST_SHOWN = 20
GB = 1_000_000_000
EXIT_UNSOUND = 1

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Write a copy of the store, of one moment, while hosts go on working."""
    from mediahost.cli.pages import counting
    from mediahost.store.backup import back_up

    with state.store() as store, counting("pages") as count:
        written = back_up(store.database, file.absolute(), count)
    if as_json:
        print_json({"file": path_to_url(file.absolute()), "size": written})
    else:
        typer.echo(f"The store is copied to {display(file)} ({size(written)})")


def copy(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="The store to copy: a path or URL.")
    ],
    target: Annotated[
        str, typer.Argument(metavar="TO", help="Where to: a path or URL of no store yet.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Copy a whole store into another database, and compare each row with its copy.

    Interrupted, it goes on where it was when it is called again.
    """
    from mediahost.cli.pages import counting
    from mediahost.store.copying import copy_to

    with counting("rows") as count:
        tables = copy_to(source, target, lambda _table, done, total: count(done, total))
    if as_json:
        print_json({"tables": [asdict(table) for table in tables]})
        return
    for table in tables:
        if table.rows:
            typer.echo(f"{table.name}: {counted(table.rows, 'row')}, {table.written:,} written now")
    typer.echo("Every row was compared with its copy")


def check(
    *,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="Rebuild damaged indexes and triggers, and all that search reads."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check the database, its schema, and that it and the files on the disk tell the same."""
    from mediahost.host.checkup import Checkup, check_up
    from mediahost.store.care import Care

    faults, can_go_on = _schema_faults(repair=repair, quiet=as_json)
    if can_go_on:
        with state.store() as store:
            found = check_up(Care(store.database), state.settings().data_dir)
        found.faults = [*faults, *found.faults]
    else:
        found = Checkup(faults=faults)
    if as_json:
        print_json(
            {
                "sound": found.sound,
                "faults": found.faults,
                "misfits": [
                    {"path": path_to_url(one.path), "reason": one.reason} for one in found.misfits
                ],
                "unused": [path_to_url(path) for path in found.unused],
                "files": found.files,
                "sizes": found.sizes,
            }
        )
    else:
        _show_checkup(found)
    if not found.sound:
        raise typer.Exit(EXIT_UNSOUND)


def _schema_faults(*, repair: bool, quiet: bool) -> tuple[list[str], bool]:
    """What is wrong with the schema, and whether the rest can be checked all the same."""
    from mediahost.store import schema_check
    from mediahost.store.databases import database_at
    from mediahost.store.location import locate
    from mediahost.store.schema import HEAD, version_of

    location = locate(state.settings().store_url)
    if location.path and not location.path.exists():
        return [], True
    database = database_at(location)
    try:
        with database.read() as connection:
            if version_of(connection, database) != HEAD:
                return [], True  # opening it upgrades it, or says why not
        if repair:
            for one in schema_check.repair(database):
                if not quiet:
                    typer.echo(f"Rebuilt: the {one.kind} {one.name}")
        damages = schema_check.find_damage(database)
        can_go_on = all(one.can_be_rebuilt for one in damages)
        odd = []
        if can_go_on:
            with database.read() as connection:
                odd = schema_check.odd_statuses(connection)
    finally:
        database.close()
    if any(one.can_be_rebuilt for one in damages) and not quiet:
        typer.echo("Rebuild what can be rebuilt with: mediahost store check --repair", err=True)
    return [*map(str, damages), *odd], can_go_on


def _show_checkup(found: "Checkup") -> None:
    for fault in found.faults:
        typer.echo(f"database: {display(fault)}")
    for misfit in found.misfits[:MOST_SHOWN]:
        typer.echo(f"{display(misfit.path)}: {misfit.reason}")
    _say_more(found.misfits)
    sizes = ", ".join(f"{name} {size(taken)}" for name, taken in found.sizes.items())
    typer.echo(f"{counted(found.files, 'artifact')} looked at; {sizes}")
    if found.unused:
        typer.echo(
            f"{counted(len(found.unused), 'folder')} of artifacts that nothing speaks of; "
            "see them with: mediahost store gc"
        )
    if found.misfits:
        typer.echo("What is missing is made again by the next run that wants it.")
    if found.faults:
        typer.echo("What can't be rebuilt is in a backup: restore the store from one.")
    if found.sound:
        typer.echo("The store is sound")


def gc(
    *,
    apply: Annotated[
        bool, typer.Option("--apply", help="Remove it; else it is only listed.")
    ] = False,
    jobs_days: Annotated[
        float | None,
        typer.Option(min=0, help="Jobs that ended so many days ago; the setting keep_jobs_days."),
    ] = None,
    results_days: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Results with files, so many days old, of media files that are gone; "
            "the setting keep_results_days.",
        ),
    ] = None,
    logs_days: Annotated[
        float | None,
        typer.Option(min=0, help="Logs so many days old; the setting keep_logs_days."),
    ] = None,
    max_gb: Annotated[
        float | None,
        typer.Option(min=0, help="Gigabytes for artifacts; the setting max_artifacts_gb."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find what nobody needs any more, and remove it with --apply.

    Kept is what jobs that wait or run need, and what was made of files that are still there.
    """
    from mediahost.host.garbage import Garbage, Rules
    from mediahost.host.roster import Roster
    from mediahost.store.care import Care

    settings = state.settings(
        keep_jobs_days=jobs_days,
        keep_results_days=results_days,
        keep_logs_days=logs_days,
        max_artifacts_gb=max_gb,
    )
    most = settings.max_artifacts_gb
    rules = Rules(
        settings.keep_jobs_days,
        settings.keep_results_days,
        settings.keep_logs_days,
        None if most is None else int(most * GB),
    )
    with state.store() as store:
        roster = Roster(store, settings.data_dir, settings.lease_s)
        garbage = Garbage(Care(store.database), settings.data_dir, roster.is_gone)
        waste = garbage.find(rules)
        if apply:
            waste = garbage.take_away(waste)
    if as_json:
        print_json(
            {
                "applied": apply,
                "size": sum(one.size for one in waste),
                "garbage": [
                    {
                        "kind": str(one.kind),
                        "name": path_to_url(one.name),
                        "size": one.size,
                        "job_id": one.job_id,
                    }
                    for one in waste
                ],
            }
        )
    else:
        _show_waste(waste, applied=apply)


def _show_waste(waste: "Sequence[Waste]", *, applied: bool) -> None:
    if not waste:
        typer.echo("There is nothing to remove")
        return
    rows = [(str(one.kind), size(one.size), display(one.name)) for one in waste[:MOST_SHOWN]]
    print_table(("KIND", "SIZE", "WHAT"), rows)
    _say_more(waste)
    total = size(sum(one.size for one in waste))
    if applied:
        typer.echo(f"Removed {counted(len(waste), 'thing')}, {total}")
    else:
        typer.echo(
            f"{counted(len(waste), 'thing')}, {total}; nothing is removed yet: "
            "do so with mediahost store gc --apply"
        )


def _say_more(things: "Sequence[object]") -> None:
    if len(things) > MOST_SHOWN:
        typer.echo(f"and {len(things) - MOST_SHOWN:,} more; --json lists all")
