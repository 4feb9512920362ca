"""Actions as they are written on the command line: `av.convert:format=mp3,bitrate=96`."""

import csv
import json
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from mediahost.errors import InvalidPipeline, UsageError
from mediahost.model.pipeline import Pipeline, Step


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

    A value that holds a comma goes in double quotes: `a.b:"text=one, two",n=3`. Values that
    are JSON lists or objects are read as such; all others are text, which the action's fields
    turn into what they want.

    Raises:
        UsageError: It is not written so.
    """
    name, _, rest = text.partition(":")
    if not name:
        raise UsageError(f"{text!r} names no action", "Write it as NAME or NAME:KEY=VALUE,...")
    config: dict[str, Any] = {}
    for part in next(csv.reader([rest], strict=False), []):
        key, equals, value = part.partition("=")
        if not (key and equals):
            raise UsageError(
                f"{part!r} in --action {text} is no KEY=VALUE",
                'A value with a comma goes in quotes: NAME:"KEY=one, two",OTHER=3',
            )
        config[key.strip()] = _value(value)
    return name, config


def _value(text: str) -> Any:
    if text.startswith(("[", "{")):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
