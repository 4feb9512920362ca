"""Explanations: is a result cached, and if not, which part of its key differs."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mediahost.hashing import CacheKey, FileStat
from mediahost.host.planner import Planned, Recipe, State
from mediahost.model.paths import display, path_to_url, url_to_path
from mediahost.ports import Store, StoredResult


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a step on a file is cached, or is not.

    Attributes:
        action: Name of the action.
        step: Name of the step.
        media_url: The media file, as text.
        cached: Whether a run would take the cached result.
        key: Its cache key, if it has one yet.
        reasons: What differs from the nearest cached result, a sentence each.
    """

    action: str
    step: str
    media_url: str
    cached: bool
    key: CacheKey | None
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "action": self.action,
            "step": self.step,
            "media": self.media_url,
            "cached": self.cached,
            "file_hash": self.key and self.key.file_hash,
            "config_hash": self.key and self.key.config_hash,
            "reasons": list(self.reasons),
        }


def explain(store: Store, recipe: Recipe, row: Planned) -> Explanation:
    """Explain where a planned row stands."""
    media = row.media or row.root
    return Explanation(
        row.step.action,
        row.step.name,
        path_to_url(media.path),
        row.state is State.CACHED,
        row.key,
        tuple(_reasons(store, recipe, row)),
    )


def _reasons(store: Store, recipe: Recipe, row: Planned) -> Iterable[str]:
    if row.media is None or row.key is None:
        yield f"it needs {' and '.join(row.step.needs)} first"
    elif row.hit is not None:
        yield "the same bytes, action version, config and inputs were computed before"
    elif row.lost_artifacts:
        yield "it was computed, but an artifact of it is gone or has changed"
    else:
        yield from _differences(store, recipe, row)


def _differences(store: Store, recipe: Recipe, row: Planned) -> Iterable[str]:
    if row.media is None or row.key is None:
        return
    name = row.step.action
    same_bytes = [one for one in store.results_of(row.media.file_hash) if one.action == name]
    here = [one for one in store.results_at(path_to_url(row.media.path)) if one.action == name]
    version = recipe.actions[row.step.name].info.version
    config = recipe.configs[row.step.name]
    if same_bytes:
        nearest = min(same_bytes, key=lambda one: _distance(one, version, config))
    elif here:
        nearest = min(here, key=lambda one: _distance(one, version, config))
        yield "the file's content has changed since it was computed"
    else:
        yield "it was never computed for these bytes, nor for others at this path"
        yield from _perhaps_renamed(store, row.media.path, name)
        return
    if nearest.action_version != version:
        yield f"the action's version is {version}, it was {nearest.action_version}"
    yield from _config_differences(nearest.config, config)
    if same_bytes and nearest.action_version == version and dict(nearest.config) == config:
        yield "a result that it follows has changed"


def _perhaps_renamed(store: Store, path: str, action: str) -> Iterable[str]:
    """A guess, and said as one: a disk gives the place of a removed file to a new one as well."""
    folder, _ = os.path.split(path)
    url = path_to_url(folder)
    try:
        here = FileStat.of(os.stat(path))  # noqa: PTH116 - keeps names that aren't UTF-8
    except OSError:  # fetched, or gone by now
        return
    memos = store.recall_hashes([url]).get(url, {})
    for name, memo in sorted(memos.items(), key=lambda one: -one[1].hashed_at_ns):
        former = os.path.join(folder, url_to_path(name))  # noqa: PTH118 - the same
        if (
            (memo.stat.dev, memo.stat.inode) == (here.dev, here.inode)
            and not os.path.lexists(former)
            and any(one.action == action for one in store.results_of(memo.file_hash))
        ):
            yield (
                f"perhaps it is {display(url_to_path(name))}, renamed and then changed: that is "
                "gone, and lay in the same place of the disk"
            )
            return


def _distance(one: StoredResult, version: int, config: Mapping[str, Any]) -> int:
    return (one.action_version != version) + sum(1 for _ in _config_differences(one.config, config))


def _config_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
    for field in sorted(old.keys() | new.keys()):
        if field not in old:
            yield f"config {field} is {new[field]!r}, it did not exist"
        elif field not in new:
            yield f"config {field} no longer exists, it was {old[field]!r}"
        elif old[field] != new[field] or type(old[field]) is not type(new[field]):
            yield f"config {field} is {new[field]!r}, it was {old[field]!r}"
