"""Media files: what goes in."""

import os
import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote_from_bytes, unquote_to_bytes


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


_URL = "file://"


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
            return _URL + quote_from_bytes(os.fsencode(text))
    return _URL + quote_from_bytes(os.fsencode(text)) if text.startswith(_URL) else text


def url_to_path(url: str) -> str:
    """The path that `path_to_url` made this text of."""
    return os.fsdecode(unquote_to_bytes(url[len(_URL) :])) if url.startswith(_URL) else url


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


_KINDS = {str(kind): kind for kind in MediaKind}


@lru_cache(maxsize=1024)
def _path_at(url: str) -> Path:
    """Kept, for a file has several jobs, one after the other, and a `Path` takes 2 µs to make."""
    return Path(url_to_path(url))


_set = object.__setattr__


@dataclass(frozen=True, slots=True)
class MediaFile:
    """An input: a path, its kind and the hash of its content.

    Attributes:
        path: Where the bytes are.
        kind: video, audio, image or document.
        file_hash: `"algo:hexdigest"`, or None where nothing has hashed it (a plugin's own test).
        url: Where it was fetched from; `path` is a copy. None: it wasn't.
    """

    path: Path
    kind: MediaKind
    file_hash: str | None = None
    url: str | None = None
    # What `known_by` made it of: a job asks for its source several times.
    _source: str | None = field(default=None, init=False, repr=False, compare=False)

    if not TYPE_CHECKING:  # or every misspelled attribute would be taken for one that comes here

        def __getattr__(self, name: str) -> Any:
            """The path that `known_by` left out: made of its source when it is first asked for."""
            if name != "path":
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            path = _path_at(self._source)
            _set(self, "path", path)
            return path

    @property
    def path_text(self) -> str:
        """Its path as text, without making a `Path` where there is none yet."""
        return self._source or os.fspath(self.path)

    @property
    def source(self) -> str:
        """Its URL, or its path as text: what it is known by."""
        return self._source or self.url or path_to_url(self.path)

    @classmethod
    def known_by(cls, source: str, kind: MediaKind, file_hash: str | None) -> Self:
        """The media file with this `source`; of one with a URL the path is its bare name."""
        if is_remote(source):
            return cls(Path(source.rpartition("/")[2] or source), kind, file_hash, source)
        if source.startswith(_URL):
            return cls(_path_at(source), kind, file_hash)
        # Most are passed on by their source, from the store to a worker and back, and a path takes
        # as long to make as all the rest of a claimed job.
        media = object.__new__(cls)
        _set(media, "_source", source)
        _set(media, "kind", kind)
        _set(media, "file_hash", file_hash)
        _set(media, "url", None)
        return media

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> Self:
        """The media file at a path, its kind taken from its suffix.

        Raises:
            ValueError: The suffix is of no media file.
        """
        kind = kind_of(path)
        if kind is None:
            raise ValueError(f"{display(path)} is not a media file that mediahost knows")
        return cls(Path(path), kind)

    def to_json(self) -> dict[str, Any]:
        """Plain values, to cross a process."""
        data = {"url": self.source, "kind": str(self.kind), "file_hash": self.file_hash}
        return {**data, "copy": path_to_url(self.path)} if self.url else data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        media = cls.known_by(data["url"], _KINDS[data["kind"]], data["file_hash"])
        return replace(media, path=Path(url_to_path(data["copy"]))) if media.url else media
