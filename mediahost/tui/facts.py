"""Plain values as text: names and values one below the other, never markup."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from mediahost.model.paths import display

MOST_ITEMS = 200
NAME_WIDTH = 24


def facts(values: Mapping[str, Any], *, indent: int = 0) -> Text:
    """Nested plain values as indented lines; what is empty or unknown is left out."""
    return Text("\n").join(_lines(values, indent))


def _lines(values: Mapping[str, Any], indent: int) -> Iterator[Text]:
    shown = {name: value for name, value in values.items() if value not in (None, "", [], {}, ())}
    width = min(NAME_WIDTH, max((len(str(name)) for name in shown), default=0)) + 2
    for name, value in shown.items():
        label = (" " * indent + display(str(name)).ljust(width), "bold")
        if isinstance(value, Mapping):
            yield Text.assemble((" " * indent + display(str(name)), "bold"))
            yield from _lines(value, indent + 2)
        elif _is_listing(value):
            yield Text.assemble((" " * indent + display(str(name)), "bold"))
            yield from _items(value, indent + 2)
        else:
            yield Text.assemble(label, plain(value))


def _is_listing(value: Any) -> bool:
    return _is_sequence(value) and any(isinstance(item, Mapping) for item in value)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _items(items: Sequence[Any], indent: int) -> Iterator[Text]:
    for number, item in enumerate(items[:MOST_ITEMS], 1):
        marker = f"{' ' * indent}{number}. "
        if isinstance(item, Mapping):
            inner = [line for line in _lines(item, 0) if line.plain]
            for at, line in enumerate(inner):
                yield Text(marker if at == 0 else " " * len(marker)) + line
        else:
            yield Text(marker + plain(item))
    if len(items) > MOST_ITEMS:
        yield Text(f"{' ' * indent}... and {len(items) - MOST_ITEMS:,} more")


def plain(value: Any) -> str:
    """One value as a person would write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)  # noqa: PLR2004 - 4 digits read well
    if _is_sequence(value):
        return ", ".join(plain(item) for item in value[:MOST_ITEMS])
    return "\n".join(display(line) for line in str(value).splitlines())
