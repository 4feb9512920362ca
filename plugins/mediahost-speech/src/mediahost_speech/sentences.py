"""Words grouped into sentences, by what a reader goes by: full stops and pauses."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from mediahost import Word

_STOPS = tuple(".!?…。！？।")  # noqa: RUF001 - of Chinese and Hindi too
_AFTER_A_STOP = "\"'”’»)]"  # noqa: RUF001 - quotes as people print them
# Nobody waits so long within a sentence.
_PAUSE_S = 1.5
# "Mr." is followed by a name at once.
_SHORT, _BREATH_S = 3, 0.5

Spelled = TypeVar("Spelled", bound=tuple[Word, str])


def sentences(words: Iterable[Spelled]) -> Iterator[list[Spelled]]:
    """The words of one sentence after the other, each with how it is spelled in the text."""
    held: list[Spelled] = []
    for spelled in words:
        if held and _ended(held[-1][0], spelled[0]):
            yield held
            held = []
        held.append(spelled)
    if held:
        yield held


def _ended(last: Word, following: Word) -> bool:
    pause = following.start - last.end
    if pause > _PAUSE_S:
        return True
    bare = last.text.rstrip(_AFTER_A_STOP)
    if not bare.endswith(_STOPS):
        return False
    may_be_short_for = bare.endswith(".") and bare[:1].isupper() and len(bare) <= _SHORT + 1
    return not may_be_short_for or pause > _BREATH_S
