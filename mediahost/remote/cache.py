"""The cache: copies of remote files, each fetched once and asked about before it is used again."""

import json
import logging
import mimetypes
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urlsplit

from mediahost.errors import InvalidMedia
from mediahost.hashing import Algorithm, algorithm_of, hash_bytes
from mediahost.model.kinds import kind_of
from mediahost.model.paths import display
from mediahost.partfile import write_text
from mediahost.ports import OnBytes, RemoteFile
from mediahost.remote.allowed import Allowed, shown
from mediahost.remote.filesystems import FileSystem
from mediahost.remote.part import Part
from mediahost.remote.room import Room, remove, used
from mediahost.remote.version import Version

if TYPE_CHECKING:
    from mediahost.remote.web import Download

log = logging.getLogger(__name__)

MAX_NAME = 100
# No attempt runs so long on a version that has been replaced, and no download lasts so long.
OLD_S = 2 * 86_400
NOTE = "source.json"


@dataclass(frozen=True, slots=True)
class _Copy:
    """What is noted of a copy."""

    url: str
    name: str
    file_hash: str
    version: Version


class RemoteCache:
    """Fetches files and keeps copies.

    Args:
        folder: Where copies are kept.
        allowed: What may be fetched.
        max_bytes: No file may be larger.
        limit_s: No file may take longer.
        keep_bytes: What copies may take together; those that nobody uses go.
        options: Options of fsspec's file systems, by scheme.
    """

    def __init__(
        self,
        folder: Path,
        allowed: Allowed,
        *,
        max_bytes: int,
        limit_s: float,
        keep_bytes: int,
        options: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._folder = folder
        self._allowed = allowed
        self._max_bytes = max_bytes
        self._limit_s = limit_s
        self._options = options
        self._room = Room(folder, keep_bytes)

    def files(self, url: str) -> list[str]:
        """URLs of the files below it if it is a folder of a file system, else its own.

        Raises:
            NotAllowed: The settings don't allow it.
            MediahostError: The folder can't be listed.
        """
        parts = self._allowed.check(url)
        if parts.scheme in ("http", "https"):
            return [urldefrag(url).url]
        return self._file_system(url).files()

    def fetch(
        self, url: str, algorithm: Algorithm, on_bytes: OnBytes = lambda _size, _whole: None
    ) -> RemoteFile:
        """The file as it is now: fetched, or the copy if the server says that it's the same.

        Raises:
            NotAllowed: The settings don't allow it.
            InvalidMedia: It isn't there, is too large, or is no media file.
            TransientError: The server or the network failed.
        """
        self._allowed.check(url)
        known = self._known(url, algorithm)
        folder = self._folder_of(url)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f".{secrets.token_hex(8)}.part"
        part = Part(path, algorithm, self._max_bytes, shown(url), on_bytes)
        try:
            source = self._source(url)
            version = source.into(part, known.version if known else None)
            if version is None and known is not None:
                return self._remote(known)
            if version is None:
                raise InvalidMedia(f"{shown(url)} was answered as if it were here already")
            name = _name_of(url, version.mime_type)
            file_hash = part.finish(lambda found: _place(folder, found, name))
        finally:
            part.discard()
        copy = _Copy(url, name, file_hash, version)
        self._note(copy)
        self._room.make(part.size)
        log.info("Fetched %s, %d bytes", shown(url), part.size)
        return self._remote(copy)

    def copy_of(self, url: str, algorithm: Algorithm) -> RemoteFile | None:
        """The copy that is here, if there is one; nobody is asked whether it is the newest."""
        known = self._known(url, algorithm)
        return self._remote(known) if known else None

    def hold(self, file: RemoteFile) -> Callable[[], None] | None:
        """Keep a copy; returns what lets go of it, or None: it is gone."""
        return self._room.hold(file.path)

    def _source(self, url: str) -> "Download | FileSystem":
        if urlsplit(url).scheme in ("http", "https"):
            # Who runs files on the disk doesn't wait for the import of TLS.
            from mediahost.remote.web import Download  # noqa: PLC0415 - see above

            return Download(url, self._allowed, self._limit_s)
        return self._file_system(url)

    def _file_system(self, url: str) -> FileSystem:
        parts = self._allowed.check(url)
        return FileSystem(parts, self._options.get(parts.scheme, {}))

    def _folder_of(self, url: str) -> Path:
        digest = hash_bytes(url.encode(), "sha256").partition(":")[2]
        return self._folder / digest[:2] / digest[2:34]

    def _known(self, url: str, algorithm: Algorithm) -> _Copy | None:
        """The copy that is here, if it is whole and hashed as is wanted."""
        try:
            note = json.loads((self._folder_of(url) / NOTE).read_text("utf-8"))
            copy = _Copy(note["url"], note["name"], note["file_hash"], Version(**note["version"]))
            size = _place(self._folder_of(url), copy.file_hash, copy.name).stat().st_size
        except (OSError, ValueError, KeyError, TypeError):
            return None
        fits = copy.url == url and algorithm_of(copy.file_hash) == algorithm
        return copy if fits and copy.version.size in (None, size) else None

    def _note(self, copy: _Copy) -> None:
        folder = self._folder_of(copy.url)
        write_text(folder / NOTE, json.dumps(asdict(copy)))
        _sweep(folder, keep=copy.file_hash)

    def _remote(self, copy: _Copy) -> RemoteFile:
        path = _place(self._folder_of(copy.url), copy.file_hash, copy.name)
        kind = kind_of(copy.name)
        if kind is None:
            raise InvalidMedia(f"{shown(copy.url)} is not a media file that mediahost knows")
        used(path)
        return RemoteFile(copy.url, path, kind, copy.file_hash)


def _place(folder: Path, file_hash: str, name: str) -> Path:
    """Each version in a folder of its own: an attempt may still be reading the one before."""
    return folder / file_hash.partition(":")[2][:16] / name


def _sweep(folder: Path, keep: str) -> None:
    """Remove versions and parts that nobody uses any more."""
    kept = _place(folder, keep, "").name
    for entry in os.scandir(folder):
        old = time.time() - entry.stat(follow_symlinks=False).st_mtime > OLD_S
        if not old or entry.name in (kept, NOTE):
            continue
        if entry.is_dir(follow_symlinks=False):
            for version in Path(entry.path).iterdir():
                remove(version)
        else:
            Path(entry.path).unlink(missing_ok=True)


def _name_of(url: str, mime_type: str | None) -> str:
    """A name for the copy that says what kind it is: the URL's own, or by its MIME type."""
    own = PurePosixPath(unquote(urlsplit(url).path)).name
    name = "".join(char for char in own if char.isprintable() and char != "/").lstrip(".")
    stem, _, suffix = name.rpartition(".")
    if not kind_of(name) and mime_type and (guess := mimetypes.guess_extension(mime_type)):
        stem, suffix = name, guess.removeprefix(".")
    if not suffix or not kind_of(f"x.{suffix}"):
        raise InvalidMedia(f"{shown(url)} is not a media file that mediahost knows")
    kept = stem.encode()[:MAX_NAME].decode(errors="ignore") or "file"
    return f"{display(kept)}.{suffix}"
