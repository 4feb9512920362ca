"""Paths and URLs as text: for databases, for JSON, for terminals."""

import os
import re
import unicodedata
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

FILE_URL = "file://"


def path_to_url(path: str | os.PathLike[str]) -> str:
    """A path as text that any database and JSON reader takes.

    A path is its own text, unless its bytes aren't UTF-8 or it looks like a URL already: then it
    is its `file://` URL.
    """
    text = os.fspath(path)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return FILE_URL + quote_from_bytes(os.fsencode(text))
    return FILE_URL + quote_from_bytes(os.fsencode(text)) if text.startswith(FILE_URL) else text


def url_to_path(url: str) -> str:
    """The path that `path_to_url` made this text of."""
    return os.fsdecode(unquote_to_bytes(url[len(FILE_URL) :])) if url.startswith(FILE_URL) else url


# RFC 3986, section 3.1. A path is absolute where it is kept, so it never looks like this.
_REMOTE = re.compile(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]*://")


def is_remote(source: str) -> bool:
    """Whether text is a URL that something must be fetched from, not a path or `file://` URL."""
    # Most are absolute paths, and each job is asked about.
    return not source.startswith("/") and _REMOTE.match(source) is not None


def display(text: str | os.PathLike[str]) -> str:
    """Text that is safe on a terminal: control characters and bad UTF-8 are shown escaped."""
    shown = os.fspath(text)
    if shown.isprintable():
        return shown
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown
    )


def expanded(path: str | os.PathLike[str]) -> Path:
    """With the home folder for `~`; as it is where nobody has the name behind it, as shells do."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - `Path.expanduser` raises for strangers


def composed(text: str) -> str:
    """The text with each accented letter as one character (NFC), to compare names by.

    macOS, and drives that it writes, spell `é` as `e` and an accent (NFD). Both look the same.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def spellings(text: str) -> list[str]:
    """The text as it is, and with all its accents in one way of writing them (NFC, NFD)."""
    if text.isascii():
        return [text]
    ways = (unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text))
    return list(dict.fromkeys((text, *ways)))
