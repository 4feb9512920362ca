"""Media files: what goes in."""

import os
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mediahost.model.kinds import MediaKind, kind_of
from mediahost.model.paths import FILE_URL, display, is_remote, path_to_url, url_to_path

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
        if source.startswith(FILE_URL):
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
