"""JSON as Postgres can keep it.

Its text holds neither NUL nor half a surrogate pair, which names of files and output of programs
may. So in JSON they are spelled as the control character SUB and four digits, and SUB itself
likewise. Columns of plain text get a replacement character instead.
"""

import json
import re
from typing import Any

from mediahost.store.spelling import json_text, json_value

_UNTOLD = re.compile(r"\\(?:u(0000|001a)|.)|([\ud800-\udfff])", re.DOTALL)
_TOLD = re.compile(r"\\(?:u001a([0-9a-f]{4})|.)", re.DOTALL)


def to_jsonb(value: Any) -> str:
    """The text to send."""
    told = json_text(value)
    if r"\u" not in told:
        return told
    if r"\ud" in told:
        # Halves of pairs are spelled here: as characters they can be told from whole ones.
        told = json.dumps(json.loads(told), ensure_ascii=False)
    return _UNTOLD.sub(_spell, told)


def _spell(found: re.Match[str]) -> str:
    digits = found[1] or (f"{ord(found[2]):04x}" if found[2] else None)
    return rf"\u001a{digits}" if digits else found[0]


def from_jsonb(told: str | bytes) -> Any:
    """The value of the text that came."""
    words = told.decode() if isinstance(told, bytes) else told
    if r"\u001a" in words:
        words = _TOLD.sub(lambda found: rf"\u{found[1]}" if found[1] else found[0], words)
    return json_value(words)
