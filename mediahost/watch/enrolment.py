"""Enrolment: how a watch comes to be in the store, or comes to have other rules there.

A running watch never gets other rules by the way: who changes them says so.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mediahost.errors import MediahostError, UsageError
from mediahost.host.host import Host
from mediahost.host.roster import Roster
from mediahost.model.paths import display, path_to_url
from mediahost.model.watch import Watch
from mediahost.ports import WatchRow, WatchStore
from mediahost.watch.recipes import RESOLVED, recipe_for, resolved_steps

SETTINGS, COMMAND, NAMED, FORGOTTEN = "settings", "command", "named", "forgotten"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A watch as it is to be.

    Attributes:
        row: It, as the store would have it.
        known: It, as the store has it; None: it is new.
    """

    row: WatchRow
    known: WatchRow | None

    @property
    def changes(self) -> list[str]:
        """What would change of a watch that is there, in words."""
        return differences(self.known.rule, self.row.rule) if self.known else []

    @property
    def is_needed(self) -> bool:
        """Whether the store has anything else."""
        known = self.known
        return known is None or (known.rule, known.origin) != (self.row.rule, self.row.origin)


def plan_enrolment(
    there: Sequence[WatchRow], rule: Watch, origin: str, steps: Sequence[Mapping[str, Any]] = ()
) -> Enrolment:
    """What a watch would be in the store. Nothing is written.

    Args:
        there: The watches that there are.
        rule: Its rules.
        origin: Where they come from.
        steps: The steps of its pipeline.

    Raises:
        UsageError: Another watch has its name.
    """
    path = path_to_url(rule.path)
    known = next((row for row in there if row.name == rule.name), None)
    if known is not None and known.path != path:
        raise UsageError(
            f"A watch named {rule.name} is on {display(known.path)} already",
            "Give one of them another name with --name, or `name` in the settings.",
        )
    plain = rule.model_dump(mode="json", exclude={"paused"})
    plain["path"] = path
    plain["kinds"] = sorted(plain["kinds"])
    if steps:
        plain[RESOLVED] = list(steps)
    if known is not None:
        back = known.origin == FORGOTTEN and origin != FORGOTTEN
        paused = rule.paused if back else known.paused
        return Enrolment(replace(known, rule=plain, origin=origin, paused=paused), known)
    row = WatchRow(
        id=-1,
        name=rule.name,
        path=path,
        rule=plain,
        origin=origin,
        paused=rule.paused,
        scan_asked=False,
        accepted=False,
        host=None,
        seen_at=None,
        health={},
    )
    return Enrolment(row, None)


def write_enrolment(store: WatchStore, enrolment: Enrolment) -> None:
    """Have the store know a watch as it is to be."""
    row, known = enrolment.row, enrolment.known
    values: dict[str, Any] = {"rule": row.rule, "origin": row.origin}
    if known is None:
        values["path"] = row.path
    if known is None or row.paused != known.paused:
        values["paused"] = row.paused
    if enrolment.is_needed:
        store.keep_watch(row.name, **values)


def enrol(store: WatchStore, rule: Watch, origin: str, host: Host | None = None) -> Enrolment:
    """Make a watch known to the store, or change its rules, as a person asked for.

    Args:
        store: The store.
        rule: The rules.
        origin: Where they come from.
        host: Knows pipelines and actions; None: they are not checked.

    Raises:
        UsageError: Another watch has its name, the settings have this one, its pipeline or an
            action is unknown, or a config doesn't fit.
    """
    steps: Sequence[Mapping[str, Any]] = ()
    if host is not None:
        steps = resolved_steps(host, rule)
        recipe_for(host, rule, steps)
    enrolment = plan_enrolment(store.watches(), rule, origin, steps)
    known = enrolment.known
    if known is not None and known.origin == SETTINGS and origin != SETTINGS:
        raise in_the_settings(known.name)
    write_enrolment(store, enrolment)
    return enrolment


def in_the_settings(name: str) -> UsageError:
    """A watch can't be changed by a command that the settings define."""
    return UsageError(
        f"The watch {display(name)} is in the settings",
        "Change it in the settings file, then start mediahost watch again.",
    )


def plan_settings(host: Host, there: Sequence[WatchRow]) -> list[Enrolment]:
    """The watches of the settings as they are to be; one that is faulty is in the list too.

    Raises:
        UsageError: Two watches have one name.
    """

    def steps_of(rule: Watch) -> Sequence[Mapping[str, Any]]:
        try:
            return resolved_steps(host, rule)
        except MediahostError:
            # Said where it is started, and of this watch alone.
            return ()

    return plan_rules(there, host.settings.watch, steps_of)


def plan_rules(
    there: Sequence[WatchRow],
    rules: Iterable[Watch],
    steps_of: Callable[[Watch], Sequence[Mapping[str, Any]]] = lambda _rule: (),
) -> list[Enrolment]:
    """What watches of the settings would be in the store. Nothing is written."""
    planned: list[Enrolment] = []
    for rule in rules:
        known = [*there, *(one.row for one in planned if one.known is None)]
        planned.append(plan_enrolment(known, rule, SETTINGS, steps_of(rule)))
    return planned


def overlaid(there: Sequence[WatchRow], planned: Iterable[Enrolment]) -> list[WatchRow]:
    """The watches as they would be, by name."""
    rows = {row.name: row for row in there} | {one.row.name: one.row for one in planned}
    return [rows[name] for name in sorted(rows)]


def enrol_settings(store: WatchStore, host: Host, planned: Sequence[Enrolment]) -> None:
    """Make the store's watches those of the settings, and those that were added by command.

    What another process watches stays as it is: its settings may be others.
    """
    for enrolment in planned:
        if not is_watched_elsewhere(enrolment.known, host.roster, host.name):
            write_enrolment(store, enrolment)
    names = {enrolment.row.name for enrolment in planned}
    for row in store.watches():
        is_old = row.origin == SETTINGS and row.name not in names
        if is_old and not is_watched_elsewhere(row, host.roster, host.name):
            store.keep_watch(row.name, origin=FORGOTTEN)


def is_watched_elsewhere(row: WatchRow | None, roster: Roster, own: str | None = None) -> bool:
    """Whether a host that lives, other than this one, watches the folder."""
    return bool(row and row.host and row.host != own and not roster.is_gone(row.host))


def watch_at(there: Iterable[WatchRow], path: Path) -> WatchRow | None:
    """The watch on exactly this folder."""
    url = path_to_url(path.absolute())
    return next((row for row in there if row.path == url), None)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What differs between two rules, in words: `output: out, now none`."""
    ignored = {RESOLVED, "name", "path"}
    fields = [field for field in {**before, **after} if field not in ignored]
    changed = [
        f"{field}: {_said(before.get(field))}, now {_said(after.get(field))}"
        for field in fields
        if _said(before.get(field)) != _said(after.get(field))
    ]
    same_name = before.get("pipeline") == after.get("pipeline")
    if same_name and before.get(RESOLVED) != after.get(RESOLVED) and after.get(RESOLVED):
        changed.append(f"pipeline: {after.get('pipeline') or 'the default'} has other steps now")
    return changed


def _said(value: object) -> str:
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    if isinstance(value, Mapping) and "action" in value:
        config = ",".join(f"{key}={each}" for key, each in (value.get("config") or {}).items())
        return f"{value['action']}:{config}" if config else str(value["action"])
    return str(value)
