"""Page ranges as people write them: `1-3,5,8-`."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_RANGE = re.compile(r"([1-9]\d{0,8})(-([1-9]\d{0,8})?)?")


def _checked(text: str) -> str:
    """The range without blanks.

    Raises:
        ValueError: It is none.
    """
    text = "".join(text.split())
    for part in filter(None, text.split(",")):
        found = _RANGE.fullmatch(part)
        if not found:
            raise ValueError(f"{part!r} is no page range; write it like 1-3,5,8-")
        if found[3] and int(found[3]) < int(found[1]):
            raise ValueError(f"the page range {part} runs backwards")
    return text


PageRange = Annotated[
    str,
    AfterValidator(_checked),
    Field(description="Which pages, such as 1-3,5,8- (from 8 to the end); empty: all"),
]


def chosen(text: str, count: int) -> list[int]:
    """The page numbers, from 1, that a checked range means in a document of `count` pages.

    In the document's order, each once. Pages beyond the end are left out, so that one config fits
    documents of any length.
    """
    numbers: set[int] = set()
    for part in filter(None, text.split(",")):
        first, dash, last = part.partition("-")
        end = int(last) if last else count if dash else int(first)
        numbers.update(range(int(first), min(end, count) + 1))
    return sorted(numbers) if text.strip(",") else list(range(1, count + 1))
