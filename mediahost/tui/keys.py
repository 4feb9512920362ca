"""Keys: what each of them does, and which other ones a person wants."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from textual.binding import ActiveBinding, Binding
from textual.dom import DOMNode
from textual.keys import key_to_character
from textual.screen import Screen

from mediahost.errors import UnknownName

OURS = "mediahost.tui."
# What Textual calls otherwise than Unicode does.
LETTERS = {"slash": "/", "plus": "+", "minus": "-"}


class Deed(NamedTuple):
    """Something that keys do.

    Attributes:
        name: What it is called in the settings, such as jobs.cancel.
        keys: Its keys, as Textual calls them, joined by commas.
        does: What it does, in words.
    """

    name: str
    keys: str
    does: str

    @property
    def shown(self) -> str:
        """The first of the keys, as a person calls it."""
        return named(self.keys.partition(",")[0])


def named(key: str) -> str:
    """A key as a person calls it."""
    letter = LETTERS.get(key) or key_to_character(key)
    return letter if letter and letter.isprintable() and letter != " " else key


def keys_by_deed(screen: Screen[Any]) -> list[tuple[ActiveBinding, list[str]]]:
    """All that keys do on a screen as it is now, each with its keys as a person calls them."""
    found: dict[tuple[str | None, str], tuple[ActiveBinding, list[str]]] = {}
    for key, active in screen.active_bindings.items():
        binding = active.binding
        if binding.id and binding.description:
            _, keys = found.setdefault((binding.id, binding.action), (active, []))
            keys.append(named(key))
    return list(found.values())


def deeds(remapped: Mapping[str, str] | None = None) -> dict[str, Deed]:
    """All that keys do, by name, once the screens are imported.

    Args:
        remapped: Other keys by name.

    Raises:
        UnknownName: It names what nothing is called.
    """
    known = {deed.name: deed for deed in sorted(_bound())}
    for name, keys in (remapped or {}).items():
        if name not in known:
            raise UnknownName("key of the TUI", name, known, "See: mediahost tui --keys")
        known[name] = known[name]._replace(keys=keys)
    return known


def _bound() -> Iterator[Deed]:
    for node in _subclasses(DOMNode):
        if not node.__module__.startswith(OURS):
            continue
        for binding in node.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id:
                yield Deed(binding.id, binding.key, binding.description)


def _subclasses(of: type) -> Iterator[type]:
    one: type
    for one in of.__subclasses__():
        yield one
        yield from _subclasses(one)
