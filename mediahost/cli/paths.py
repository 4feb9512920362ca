"""The argument PATH: each is found however the disk spells its accents."""

from typing import overload


@overload
def as_on_disk(value: str) -> str: ...
@overload
def as_on_disk(value: list[str] | None) -> list[str] | None: ...
def as_on_disk(value: str | list[str] | None) -> str | list[str] | None:
    """What was typed, with the spelling of the disk: the callback of every such argument."""
    typed = [value] if isinstance(value, str) else value or []
    if all(map(str.isascii, typed)):
        return value
    from mediahost.host.typed import on_disk

    return on_disk(value) if isinstance(value, str) else [on_disk(path) for path in typed]
