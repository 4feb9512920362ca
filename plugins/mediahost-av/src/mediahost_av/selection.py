"""Which of a film's sounds and subtitles are meant: by language, number, title, or all of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from av.stream import Stream

from mediahost import InvalidMedia
from mediahost_av.container import decoder_of, shown

ALL, NONE = "all", "none"
# ISO 639-1, and both codes of ISO 639-2 where there are two: people and programs use any of them.
_SAME_LANGUAGE = (
    {"de", "deu", "ger"},
    {"fr", "fra", "fre"},
    {"nl", "nld", "dut"},
    {"cs", "ces", "cze"},
    {"zh", "zho", "chi"},
    {"el", "ell", "gre"},
    {"en", "eng"},
    {"es", "spa"},
    {"it", "ita"},
    {"ja", "jpn"},
    {"ko", "kor"},
    {"pl", "pol"},
    {"pt", "por"},
    {"ru", "rus"},
    {"sv", "swe"},
    {"tr", "tur"},
    {"uk", "ukr"},
)

S = TypeVar("S", bound=Stream)


def selected(streams: Sequence[S], wish: str, noun: str, path: Path) -> list[S]:
    """Those of the streams that are meant, in the file's order.

    Args:
        streams: All of their kind.
        wish: `all`, `none`, a number from 1, a language such as `en` or `eng`, or part of a title.
        noun: What they are, for the error.
        path: The file, for the error.

    Raises:
        InvalidMedia: None of them is meant.
    """
    if wish == ALL or not streams:
        return [*streams]
    if wish == NONE:
        return []
    if wish.isdecimal():
        found = [*streams[int(wish) - 1 : int(wish)]] if int(wish) else []
    else:
        found = [one for one in streams if _speaks(one, wish)] or [
            one for one in streams if wish.casefold() in one.metadata.get("title", "").casefold()
        ]
    if not found:
        listing = ", ".join(f"{at} {named(one)}" for at, one in enumerate(streams, 1))
        raise InvalidMedia(f"{shown(path)} has no {noun} {wish!r}", f"It has: {listing}.")
    return found


def named(stream: Stream) -> str:
    """A stream as people tell it from others: its language, title and codec."""
    decoder = decoder_of(stream)
    parts = (
        None if stream.language in {None, "und"} else stream.language,
        stream.metadata.get("title") or stream.metadata.get("filename"),
        decoder.codec.canonical_name if decoder is not None else stream.type,
    )
    return " ".join(repr(part)[1:-1] for part in parts if part)


def _speaks(stream: Stream, wish: str) -> bool:
    language, wished = (stream.language or "").lower(), wish.lower()
    return language == wished or any({language, wished} <= same for same in _SAME_LANGUAGE)
