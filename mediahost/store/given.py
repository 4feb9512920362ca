"""What programs give the store, checked at its door, so that no database has to refuse it."""

import os
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mediahost.errors import UsageError
from mediahost.hashing import canonical
from mediahost.model.paths import path_to_url
from mediahost.model.schemas import JsonObject, can_be_kept

# What columns of whole numbers take, and what limits may be.
MOST_INTEGER = 2**31 - 1
MOST_BIGINT = 2**63 - 1

_OBJECT: TypeAdapter[dict[str, Any]] = TypeAdapter(JsonObject)


def a_limit(what: str, number: int) -> int:
    """How many rows at most, or to leave out; beyond what databases count, that much.

    Raises:
        UsageError: It is negative, or no number.
    """
    return min(a_count(what, number, most=None), MOST_BIGINT)


def a_count(what: str, number: int, most: int | None = MOST_INTEGER) -> int:
    """A number for a column of whole numbers.

    Raises:
        UsageError: It is negative, too large, or no whole number.
    """
    if not isinstance(number, int):
        raise UsageError(f"The {what} must be a whole number, not {number!r}")
    if number < 0:
        raise UsageError(f"The {what} can't be negative, but it is {number}")
    if most is not None and number > most:
        raise UsageError(f"The {what} can't be more than {most}")
    return number


def a_text(what: str, text: str) -> str:
    """Text for a column.

    Raises:
        UsageError: It is no text, or has a character that a database can't keep.
    """
    if not isinstance(text, str):
        raise UsageError(f"The {what} must be text, not {text!r}")
    if not can_be_kept(text):
        raise UsageError(f"The {what} has characters that no database keeps: {text!r}")
    return text


def a_url(what: str, path: str | os.PathLike[str]) -> str:
    """The URL of a path, as columns have it.

    Raises:
        UsageError: It is no path, or none that a file can have.
    """
    if not isinstance(path, str | os.PathLike):
        raise UsageError(f"The {what} must be a path, not {path!r}")
    return a_text(what, path_to_url(path))


def an_object(what: str, value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The same as plain JSON with text for keys.

    Raises:
        UsageError: It is no JSON.
    """
    if value is None:
        return None
    try:
        checked = _OBJECT.validate_python(dict(value))
        canonical(checked)
    except (ValidationError, ValueError, TypeError):
        raise UsageError(
            f"The {what} must be JSON: text for keys, and no NaN or infinity among the values"
        ) from None
    return checked
