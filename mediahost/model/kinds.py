"""The kinds of media file, as their suffixes promise them."""

import os
from enum import StrEnum


class MediaKind(StrEnum):
    """The four kinds of media file."""

    VIDEO = "video"
    AUDIO = "audio"
    IMAGE = "image"
    DOCUMENT = "document"


# Our own table, not the `mimetypes` module's: that one also reads files of the machine it runs on,
# and a file must be of the same kind everywhere.
_MIME_TYPES = {
    MediaKind.VIDEO: {
        "3gp": "video/3gpp",
        "avi": "video/x-msvideo",
        "flv": "video/x-flv",
        "m2ts": "video/mp2t",
        "m4v": "video/x-m4v",
        "mkv": "video/x-matroska",
        "mov": "video/quicktime",
        "mp4": "video/mp4",
        "mpeg": "video/mpeg",
        "mpg": "video/mpeg",
        "mts": "video/mp2t",
        "ogv": "video/ogg",
        "ts": "video/mp2t",
        "webm": "video/webm",
        "wmv": "video/x-ms-wmv",
    },
    MediaKind.AUDIO: {
        "aac": "audio/aac",
        "aif": "audio/aiff",
        "aiff": "audio/aiff",
        "flac": "audio/flac",
        "m4a": "audio/mp4",
        "m4b": "audio/mp4",
        "mka": "audio/x-matroska",
        "mp3": "audio/mpeg",
        "oga": "audio/ogg",
        "ogg": "audio/ogg",
        "opus": "audio/ogg",
        "wav": "audio/wav",
        "wma": "audio/x-ms-wma",
    },
    MediaKind.IMAGE: {
        "avif": "image/avif",
        "bmp": "image/bmp",
        "gif": "image/gif",
        "heic": "image/heic",
        "heif": "image/heif",
        "jpeg": "image/jpeg",
        "jpg": "image/jpeg",
        "jxl": "image/jxl",
        "png": "image/png",
        "tif": "image/tiff",
        "tiff": "image/tiff",
        "webp": "image/webp",
    },
    MediaKind.DOCUMENT: {
        "pdf": "application/pdf",
    },
}
_BY_SUFFIX = {
    suffix: (kind, mime) for kind, table in _MIME_TYPES.items() for suffix, mime in table.items()
}
# For those who ask about a million names: the kind by a suffix in lower case, with its dot.
KIND_OF_SUFFIX = {f".{suffix}": kind for suffix, (kind, _) in _BY_SUFFIX.items()}


def kind_of(name: str | os.PathLike[str]) -> MediaKind | None:
    """The kind that a file's suffix promises, or None if it is no media file."""
    found = _BY_SUFFIX.get(_suffix(name))
    return found[0] if found else None


def mime_type_of(name: str | os.PathLike[str]) -> str:
    """The MIME type that a file's suffix promises; `application/octet-stream` if none."""
    found = _BY_SUFFIX.get(_suffix(name))
    return found[1] if found else "application/octet-stream"


def _suffix(name: str | os.PathLike[str]) -> str:
    # As os.path.splitext has it, for which .mp4 is a name and no suffix, but 4 times quicker: it
    # was a quarter of the walk.
    stem, _, suffix = os.fspath(name).rpartition(".")
    if not stem or stem[-1] in "./":
        named = stem.rstrip(".")
        return suffix.lower() if named and not named.endswith("/") else ""
    return suffix.lower()
