"""Words: how any language's text becomes what search compares, in results and in queries alike.

One spelling for all: case, accents, width and ligatures make no difference. Scripts that put no
spaces between words, and Korean, which joins particles to them, are cut into pairs of characters
instead: of `会議室` these are `会議`, `議室` and, at the end, `室`. So a word is found wherever it
stands, and a single character too.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

# Postgres refuses words beyond 2 kB; who searches types no such words.
LONGEST_WORD = 64

# Letters that Unicode doesn't take apart, as people type them who lack the key.
_PLAIN = str.maketrans(
    {
        "\u0131": "i",
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ħ": "h",
        "ŧ": "t",
        "æ": "ae",
        "œ": "oe",
        "ð": "d",
    }
)
# Marks by their canonical combining class: those above and below letters are accents, points of
# Hebrew or vowels of Arabic, which are mostly not written. Others make another letter: a voiced
# kana (8), a conjunct (9), a tone or vowel of Thai and Lao (103 to 122), and most vowels (0).
_ACCENTS = frozenset((7, *range(10, 37), *range(200, 241)))

# Scripts without spaces between words, and Korean.
_UNSPACED = re.compile(
    "["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3041-\u309f\u30a1-\u30ff\u31f0-\u31ff"  # Japanese
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese
    "\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e"  # Korean
    "]"
)
_SEPARATOR = " "


def words_of(text: str) -> list[str]:
    """The words of a text in their order, each in the one spelling."""
    return [word for part in _parts(spelled(text)) for word in _words_of_part(part)]


def query_of(text: str) -> tuple[list[str], bool]:
    """The words in a row that a text must have for this one to be in it.

    Returns:
        The words, and whether the last one may go on: one unspaced character begins pairs.
    """
    parts = list(_parts(spelled(text)))
    words = [word for part in parts for word in _words_of_part(part)]
    if not parts or not _is_unspaced(parts[-1]):
        return words, False
    if len(list(_characters(parts[-1]))) == 1:
        return words, True
    # In the text, the last character may begin another pair.
    return words[:-1], False


def compact(text: str) -> str:
    """The letters of a text in the one spelling: texts that say the same have the same."""
    return spelled(text).replace(_SEPARATOR, "")


def spelled(text: str) -> str:
    """A text in the one spelling: runs of letters, digits and their marks, parted by spaces."""
    letters = unicodedata.normalize("NFKD", text.casefold()).casefold()
    table = {ord(char): _spelled(char) for char in set(letters)}
    return unicodedata.normalize("NFKC", letters.translate(table)).translate(_PLAIN)


@lru_cache(maxsize=8192)
def _spelled(char: str) -> str:
    category = unicodedata.category(char)
    if category[0] == "M":
        return "" if unicodedata.combining(char) in _ACCENTS or _is_selector(char) else char
    if category == "Cf" or char == "\u0640":  # joiners, soft hyphens; the stretch of Arabic
        return ""
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    return char if char.isalnum() else _SEPARATOR


def _is_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _parts(text: str) -> Iterator[str]:
    """Stretches of a spelled text that are all of scripts with spaces, or all of ones without."""
    for run in text.split(_SEPARATOR):
        if not _UNSPACED.search(run):
            if run:
                yield run
            continue
        part = ""
        for character in _characters(run):
            if part and _is_unspaced(character) != _is_unspaced(part):
                yield part
                part = ""
            part += character
        yield part


def _words_of_part(part: str) -> list[str]:
    if not _is_unspaced(part):
        return [part[:LONGEST_WORD]]
    characters = list(_characters(part))
    pairs = [one + two for one, two in pairwise(characters)]
    return [word[:LONGEST_WORD] for word in (*pairs, characters[-1])]


def _characters(text: str) -> Iterator[str]:
    """Characters with the marks that belong to them."""
    character = ""
    for char in text:
        if character and not unicodedata.category(char).startswith("M"):
            yield character
            character = ""
        character += char
    if character:
        yield character


def _is_unspaced(text: str) -> bool:
    return _UNSPACED.match(text) is not None
