"""Previews: what a watch would do with a file, and why."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mediahost.errors import MediahostError
from mediahost.host.found import FoundFile, Problem
from mediahost.host.host import Host
from mediahost.host.planner import State
from mediahost.model.paths import path_to_url, url_to_path
from mediahost.model.watch import FileState
from mediahost.ports import WatchedFile, WatchRow, WatchStore
from mediahost.watch.ledger import Ledger, place_of
from mediahost.watch.recipes import recipe_of, rule_of
from mediahost.watch.scan import Scan, found_at
from mediahost.watch.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Preview:
    """What a watch would do with a file.

    Attributes:
        watch: Name of the watch.
        path: The file.
        state: Where the watch has it; None if it has not seen it.
        reason: Why there, or why it would not be processed.
        to_do: The steps whose results are not there.
        cached: The steps whose results are.
    """

    watch: str
    path: str
    state: FileState | None
    reason: str
    to_do: tuple[str, ...] = ()
    cached: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "watch": self.watch,
            "path": path_to_url(self.path),
            "state": self.state and str(self.state),
            "reason": self.reason,
            "to_do": list(self.to_do),
            "cached": list(self.cached),
        }


def previews(host: Host, store: WatchStore, row: WatchRow) -> Iterator[Preview]:
    """What a watch would do with each of its files. Nothing is changed."""
    rule = rule_of(row)
    wanted = Wanted(rule, recipe_of(host, row).kinds, [str(host.settings.data_dir)])
    scan = Scan(str(rule.path), wanted, lambda _folder: None, rule.follow_links)
    files = [file for listing in scan.listings() for file in listing.files]
    yield from _stand(host, store, row, sorted(files, key=lambda file: file.path))


def previews_of(host: Host, store: WatchStore, path: str) -> list[Preview]:
    """What each watch would do with one file; none if no watched folder holds it."""
    found: list[Preview] = []
    for row in store.watches():
        top = os.fspath(url_to_path(row.path))
        if not path.startswith(f"{top}/"):
            continue
        try:
            rule, recipe = rule_of(row), recipe_of(host, row)
        except (MediahostError, ValueError) as error:
            found.append(Preview(row.name, path, None, f"the watch is faulty: {error}"))
            continue
        wanted = Wanted(rule, recipe.kinds, [str(host.settings.data_dir)])
        folder, name = os.path.split(os.path.relpath(path, top))
        above = [""] + [
            folder[:at] for at in range(1, len(folder) + 1) if folder[at : at + 1] in ("", "/")
        ]
        for each in above if folder else [""]:
            wanted.learn_ignores(each, os.path.join(top, each), there=True)  # noqa: PTH118
        if (reason := wanted.why_not(folder, name)) is not None:
            found.append(Preview(row.name, path, FileState.IGNORED, reason))
            continue
        file = found_at(top, folder, name, wanted, follow=rule.follow_links)
        if file is None:
            found.append(Preview(row.name, path, FileState.IGNORED, "it is no regular file"))
        else:
            found += _stand(host, store, row, [file])
    return found


def _stand(
    host: Host, store: WatchStore, row: WatchRow, files: list[FoundFile]
) -> Iterator[Preview]:
    order = host.standing_order(recipe_of(host, row), source=f"watch:{row.name}")
    has_recipe = row.health.get("recipe") == order.recipe.fingerprint
    known = Ledger(store, row.id).at([place_of(file) for file in files])
    by_path = {file.path: known.get(place_of(file)) for file in files}
    problems: list[Problem] = []
    absolute = [file._replace(folder=os.path.dirname(file.path)) for file in files]  # noqa: PTH120
    hashed = order.hashed(absolute, problems)
    standings = order.look(hashed)
    own = store.find_outputs({root.file_hash for root in hashed})
    for root in hashed:
        standing, file = standings[root.path], by_path[root.path]
        mine = [output for output in own.get(root.file_hash, ()) if output.watch_id == row.id]
        to_do = [one.step.name for one in standing.rows if one.state is not State.CACHED]
        cached = [one.step.name for one in standing.rows if one.state is State.CACHED]
        reason = f"made here by {mine[0].action}" if mine else _reason(row, file)
        has_failed = file is not None and file.state is FileState.FAILED and has_recipe
        if has_failed and to_do:
            # It rests until its content changes or somebody asks for it.
            to_do = []
            reason += "; tried again when it changes, or by: mediahost watch scan --failed"
        yield Preview(
            row.name,
            root.path,
            file.state if file else None,
            reason,
            () if mine else tuple(to_do),
            tuple(cached),
        )
    for problem in problems:
        yield Preview(row.name, problem.path, None, problem.message)


def _reason(row: WatchRow, file: WatchedFile | None) -> str:
    if row.paused:
        return "the watch is paused"
    if file is None:
        return "the watch has not seen it yet"
    return file.reason.partition("\n")[0]
