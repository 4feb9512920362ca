"""Lineage: followed through artifacts of artifacts, and never in circles."""

from collections.abc import Collection

from mediahost.host.lineage import lineage_of
from mediahost.model.lineage import Making


class Makings:
    """A store's makings: each made of one file, into others."""

    def __init__(self, *makings: tuple[str, str, str]) -> None:
        self.all = [
            Making(f"job{number}", action, 1, {}, f"/{source}", source, ((f"/{to}", to),), number)
            for number, (source, action, to) in enumerate(makings)
        ]

    def makings_into(self, hashes: Collection[str]) -> list[Making]:
        return [each for each in self.all if each.made[0][1] in hashes]

    def makings_from(self, hashes: Collection[str]) -> list[Making]:
        return [each for each in self.all if each.file_hash in hashes]

    def makings_at(self, url: str) -> list[Making]:
        return [each for each in self.all if url in (each.media_url, each.made[0][0])]


def walk(store: Makings, path: str, *, there: bool = True) -> tuple[list[str], list[str]]:
    known = lineage_of(store, path, path[1:] if there else None)  # type: ignore[arg-type]
    return (
        [f"{link.depth} {link.making.action} {link.making.file_hash}" for link in known.origins],
        [
            f"{link.depth} {link.making.action} {link.making.made[0][1]}"
            for link in known.descendants
        ],
    )


CHAIN = Makings(("film", "cut", "clip"), ("clip", "sound", "wav"), ("wav", "normalise", "loud"))


def test_artifacts_of_artifacts_are_followed_both_ways() -> None:
    assert walk(CHAIN, "/wav") == (["1 sound clip", "2 cut film"], ["1 normalise loud"])
    assert walk(CHAIN, "/film") == ([], ["1 cut clip", "2 sound wav", "3 normalise loud"])
    assert walk(CHAIN, "/other") == ([], [])


def test_a_file_that_is_gone_is_known_by_its_path() -> None:
    assert walk(CHAIN, "/clip", there=False) == (
        ["1 cut film"],
        ["1 sound wav", "2 normalise loud"],
    )


def test_a_circle_ends() -> None:
    circle = Makings(("a", "turn", "b"), ("b", "turn", "a"), ("a", "copy", "a"))
    origins, descendants = walk(circle, "/a")
    assert origins == ["1 turn b", "1 copy a", "2 turn a"]
    assert descendants == ["1 turn b", "1 copy a", "2 turn a"]


def test_what_was_made_twice_in_the_same_way_is_told_once() -> None:
    twice = Makings(("a", "cut", "b"), ("a", "cut", "b"))
    assert walk(twice, "/b") == (["1 cut a"], [])
