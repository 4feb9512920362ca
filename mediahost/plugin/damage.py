"""What is wrong with a media file that no decoder takes, in one sentence for all plugins.

Decoders speak of atoms, of arguments, or of a stream that ended. People know what a file was meant
to be, and can be shown what it is.
"""

import os
from pathlib import Path
from typing import NamedTuple

from mediahost.errors import InvalidMedia
from mediahost.model.kinds import MediaKind, kind_of
from mediahost.model.paths import display

_HEAD_BYTES = 4096
_COPY_AGAIN = "Copy or download it again."
_TRUE_SUFFIX = "Give the file the suffix of what it is, or leave it out."
_BOX_HEADER = 8  # bytes of an MP4 box before its content: size and type
_LARGE_SIZE = 16  # bytes of the header of a box whose size needs 8 bytes


class _Signature(NamedTuple):
    """How files of one sort begin.

    Attributes:
        at: Where the bytes are.
        bytes: What is there.
        noun: What people call such a file.
        suffixes: Those that such files have.
    """

    at: int
    bytes: bytes
    noun: str
    suffixes: frozenset[str]


def _of(at: int, start: bytes, noun: str, suffixes: str = "") -> _Signature:
    return _Signature(at, start, noun, frozenset(suffixes.split()))


_MP4 = "mp4 m4v m4a m4b mov qt 3gp 3g2 heic heif avif f4v"
_TIFF = "tif tiff dng nef cr2 arw"
_SIGNATURES = (
    _of(4, b"ftyp", "an MP4 film or recording", _MP4),
    _of(4, b"moov", "a QuickTime film", _MP4),
    _of(4, b"mdat", "a QuickTime film", _MP4),
    _of(0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM film", "mkv mka mks webm weba"),
    _of(8, b"AVI ", "an AVI film", "avi divx"),
    _of(8, b"WAVE", "a WAV recording", "wav wave bwf"),
    _of(8, b"WEBP", "a WebP picture", "webp"),
    _of(0, b"FORM", "an AIFF recording", "aif aiff aifc"),
    _of(0, b"fLaC", "a FLAC recording", "flac"),
    _of(0, b"OggS", "an Ogg recording or film", "ogg oga ogv ogx opus spx"),
    _of(0, b"ID3", "a recording with an ID3 tag", "mp3 aac flac wav aif aiff mp2 tta"),
    _of(0, b"FLV", "a Flash film", "flv f4v"),
    _of(0, b"\x30\x26\xb2\x75", "a Windows Media file", "wmv wma asf"),
    _of(0, b"\x00\x00\x01\xba", "an MPEG film", "mpg mpeg vob m2p ps"),
    _of(0, b"caff", "a CAF recording", "caf"),
    _of(0, b"\xff\xd8\xff", "a JPEG picture", "jpg jpeg jpe jfif"),
    _of(0, b"\x89PNG", "a PNG picture", "png apng"),
    _of(0, b"GIF8", "a GIF picture", "gif"),
    _of(0, b"BM", "a BMP picture", "bmp dib"),
    _of(0, b"II*\0", "a TIFF picture", _TIFF),
    _of(0, b"MM\0*", "a TIFF picture", _TIFF),
    _of(0, b"%PDF", "a PDF document", "pdf ai"),
    _of(0, b"PK\3\4", "a ZIP archive", ""),
    _of(0, b"\x1f\x8b", "a gzip archive", ""),
    _of(0, b"7z\xbc\xaf", "a 7z archive", ""),
    _of(0, b"Rar!", "a RAR archive", ""),
    _of(0, b"\x7fELF", "a Linux program", ""),
    _of(0, b"\xd0\xcf\x11\xe0", "an old Microsoft Office document", ""),
    _of(0, b"SQLite format 3", "an SQLite database", ""),
)
_NOUNS = {
    "mp4": "an MP4 film",
    "m4v": "an MP4 film",
    "m4a": "an MP4 recording",
    "m4b": "an MP4 recording",
    "mov": "a QuickTime film",
    "mkv": "a Matroska film",
    "webm": "a WebM film",
    "avi": "an AVI film",
    "mp3": "an MP3 recording",
    "ogg": "an Ogg recording",
    "opus": "an Opus recording",
    "aac": "an AAC recording",
    "avif": "an AVIF picture",
    "ts": "an MPEG transport stream",
}
_KIND_NOUNS = {
    MediaKind.VIDEO: "a film",
    MediaKind.AUDIO: "a recording",
    MediaKind.IMAGE: "a picture",
    MediaKind.DOCUMENT: "a document",
    None: "a media file",
}


def unreadable(path: Path) -> InvalidMedia:
    """The error for a media file that its decoder can't make sense of: what it is, what to do."""
    name, meant = display(path.name), _meant_by(path)
    head = _head_of(path)
    if head and not head.strip(b"\0") and _only_zeros(path):
        return InvalidMedia(f"{name} holds only zeros, no {_bare(meant)}", _COPY_AGAIN)
    found = _signature_of(head)
    suffix = path.suffix[1:].lower()
    if found is not None and suffix not in found.suffixes and meant != found.noun:
        return InvalidMedia(f"{name} is {found.noun}, not {meant}", _TRUE_SUFFIX)
    if found is None and (text := _text_in(head)):
        return InvalidMedia(f"{name} is {text}, not {meant}", _TRUE_SUFFIX)
    if found is not None and found.at == len(b"ftyp") and _lacks_index(path):
        return InvalidMedia(
            f"{name} was cut off: it lacks the index, without which {meant} can't be read",
            "Copy or record it again; a repair program may save a part of it.",
        )
    if found is None:
        return InvalidMedia(f"{name} is damaged, or not {meant}", _COPY_AGAIN)
    return InvalidMedia(f"{name} is a damaged {_bare(meant)}", _COPY_AGAIN)


def _meant_by(path: Path) -> str:
    """What the suffix says that the file is, with its article."""
    suffix = path.suffix[1:].lower()
    noun = _NOUNS.get(suffix)
    if noun is None:
        signature = next((one for one in _SIGNATURES if suffix in one.suffixes), None)
        noun = signature.noun if signature else _KIND_NOUNS[kind_of(path)]
    return noun


def _bare(noun: str) -> str:
    return noun.partition(" ")[2]


def _head_of(path: Path) -> bytes:
    """The first bytes; b"" where they can't be read, for this only finds words."""
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""


def _signature_of(head: bytes) -> _Signature | None:
    return next((one for one in _SIGNATURES if head.startswith(one.bytes, one.at)), None)


def _text_in(head: bytes) -> str | None:
    """What text the file begins with, or None."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # a character may be cut in two
            return None
        text = head[: error.start].decode()
    legible = sum(char.isprintable() or char in "\t\r\n\f" for char in text)
    return "text" if text.strip("\0") and legible == len(text) else None


def _only_zeros(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return not any(block.strip(b"\0") for block in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return False


def _lacks_index(path: Path) -> bool:
    """Whether an MP4 file has no whole box `moov`, or `meta` of pictures (ISO 14496-12)."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            at = 0
            while at + _BOX_HEADER <= size:
                file.seek(at)
                header = file.read(_LARGE_SIZE)
                length, kind = int.from_bytes(header[:4], "big"), header[4:8]
                if kind in {b"moov", b"meta"}:
                    return at + length > size
                if length == 1:
                    length = int.from_bytes(header[8:16], "big")
                if length < _BOX_HEADER:
                    break
                at += length
    except OSError:
        return False
    return True
