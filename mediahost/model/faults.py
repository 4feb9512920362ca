"""What pydantic finds wrong, in words for the person who gave it."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError


def first_fault(error: ValidationError) -> str:
    """Where the first fault is, and what it is; for one of the whole, only what."""
    fault = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {words_of(fault)}" if where else words_of(fault)


def words_of(fault: Mapping[str, Any]) -> str:
    """What is wrong, as the one who raised it put it."""
    words: str = fault["msg"]
    return words.removeprefix("Value error, ")
