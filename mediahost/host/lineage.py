"""Lineage: from a file back to what it was made of, and on to all that was made of it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mediahost.model.lineage import Making
from mediahost.ports import Store


@dataclass(frozen=True, slots=True)
class Link:
    """A making, and how many makings lie between it and the file: 1 is next to it."""

    depth: int
    making: Making

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"depth": self.depth, **self.making.to_json()}


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a file came from, and what became of it.

    Attributes:
        media_url: The file, as text.
        file_hash: Hash of its content; None: it isn't there, and is known by its path alone.
        origins: The makings that led to it, the nearest first.
        descendants: The makings that it went into, the nearest first.
    """

    media_url: str
    file_hash: str | None
    origins: tuple[Link, ...]
    descendants: tuple[Link, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "media": self.media_url,
            "file_hash": self.file_hash,
            "origins": [link.to_json() for link in self.origins],
            "descendants": [link.to_json() for link in self.descendants],
        }


def lineage_of(store: Store, media_url: str, file_hash: str | None) -> Lineage:
    """Follow a file both ways, through artifacts of artifacts, by content: names don't matter."""
    known = {file_hash} if file_hash else _hashes_at(store, media_url)
    origins = _follow(known, store.makings_into, lambda making: {making.file_hash})
    descendants = _follow(
        known, store.makings_from, lambda making: {made for _, made in making.made}
    )
    return Lineage(media_url, file_hash, tuple(origins), tuple(descendants))


def origins_of(store: Store, file_hashes: Collection[str]) -> dict[str, str]:
    """The file that each of these contents was made of in the end, as text, by the content's hash.

    What was made of nothing, as far as is known, isn't there.
    """
    into: dict[str, Making] = {}
    for link in _follow(file_hashes, store.makings_into, lambda making: {making.file_hash}):
        into.update((made, link.making) for _, made in link.making.made)
    return {
        file_hash: _first_making(into, file_hash).media_url
        for file_hash in file_hashes
        if file_hash in into
    }


def _first_making(into: Mapping[str, Making], file_hash: str) -> Making:
    """The one at the beginning of what led to a content; of a circle, the last that is new."""
    seen, making = {file_hash}, into[file_hash]
    while making.file_hash in into and making.file_hash not in seen:
        seen.add(making.file_hash)
        making = into[making.file_hash]
    return making


def _hashes_at(store: Store, media_url: str) -> set[str]:
    """What a file that is gone held when it was used or made."""
    hashes = set()
    for making in store.makings_at(media_url):
        if making.media_url == media_url:
            hashes.add(making.file_hash)
        hashes.update(made for path, made in making.made if path == media_url)
    return hashes


def _follow(
    start: Collection[str],
    makings_of: Callable[[Collection[str]], list[Making]],
    further: Callable[[Making], set[str]],
) -> Iterator[Link]:
    """Level by level; each content is followed once, so that a circle ends."""
    frontier, seen, depth = set(start), set(start), 1
    while frontier:
        makings = _newest_of_each(makings_of(frontier))
        yield from (Link(depth, making) for making in makings)
        frontier = set().union(*map(further, makings)) - seen
        seen |= frontier
        depth += 1


def _newest_of_each(makings: list[Making]) -> list[Making]:
    """Made twice of the same in the same way is made once."""
    newest = {}
    for making in makings:
        made = tuple(file_hash for _, file_hash in making.made)
        key = (making.file_hash, making.action, making.action_version, repr(making.config), made)
        newest[key] = making
    return list(newest.values())
