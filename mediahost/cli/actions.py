"""Actions as they are written on the command line: `av.convert:format=mp3,audio_bitrate=96`."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from mediahost.errors import InvalidPipeline, UsageError
from mediahost.model.pipeline import Pipeline, Step

HOW_TO_WRITE = (
    "Write it as NAME or NAME:KEY=VALUE,...; "
    'text with a comma goes in double quotes: NAME:KEY="one, two",OTHER=3'
)
_JSON = json.JSONDecoder()


def pipeline_of(actions: Sequence[str]) -> Pipeline:
    """An unnamed pipeline of independent steps.

    Raises:
        UsageError: An action is not written as it should be.
    """
    steps: list[Step] = []
    for text in actions:
        name, config = parse(text)
        twins = sum(step.action == name for step in steps)
        title = f"{name}#{twins + 1}" if twins else name
        steps.append(Step(action=name, name=title, config=config))
    try:
        return Pipeline(name="run", steps=tuple(steps))
    except ValidationError as error:
        raise InvalidPipeline(error.errors()[0]["msg"]) from None


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """The name and the config in `NAME[:KEY=VALUE,...]`.

    A value is text up to the next comma, which the action's field turns into what it wants.
    It may also be JSON: text in double quotes, a list, an object, or null.

    Raises:
        UsageError: It is not written so.
    """
    name, _, rest = text.partition(":")
    if not name.strip():
        raise UsageError(f"--action {text!r} names no action", HOW_TO_WRITE)
    config: dict[str, Any] = {}
    for key, value in _pairs(rest, text):
        if key in config:
            raise UsageError(f"--action {text!r} gives {key} twice", "Leave one of them out.")
        config[key] = value
    return name.strip(), config


def _pairs(rest: str, whole: str) -> Iterator[tuple[str, Any]]:
    position = 0
    while position < len(rest):
        equals = rest.find("=", position)
        key = rest[position:equals].strip() if equals >= 0 else ""
        if not key or "," in key:
            part = rest[position:].partition(",")[0]
            raise UsageError(f"{part!r} in --action {whole!r} is no KEY=VALUE", HOW_TO_WRITE)
        value, position = _value(rest, equals + 1, whole)
        yield key, value


def _value(rest: str, start: int, whole: str) -> tuple[Any, int]:
    """The value that begins at `start`, and where the next key begins."""
    if rest[start : start + 1] in ('"', "[", "{"):
        try:
            value, end = _JSON.raw_decode(rest, start)
        except (ValueError, RecursionError):
            end = -1
        if rest[end : end + 1] == "," or end == len(rest):
            return value, end + 1
        if rest[start] == '"':
            raise UsageError(
                f"A double quote in --action {whole!r} is not closed where a value ends",
                HOW_TO_WRITE,
            )
    text, _, _ = rest[start:].partition(",")
    return None if text == "null" else text, start + len(text) + 1
