"""File systems: files by any other URL that fsspec knows, such as s3:// and sftp://."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import SplitResult

from mediahost.errors import InvalidMedia, MediahostError, TransientError, UsageError
from mediahost.installation import extra_hint
from mediahost.remote.allowed import shown
from mediahost.remote.part import Part
from mediahost.remote.version import Version

CHUNK_BYTES = 1 << 20

# What file systems call these facts; S3 alone has three ways to say when.
_ETAGS = ("ETag", "etag", "md5", "md5Hash", "checksum")
_TIMES = ("LastModified", "last_modified", "mtime", "modified", "updated", "created")


class FileSystem:
    """One fsspec file system.

    Args:
        parts: A URL on it.
        options: What `remote_options` says of its scheme.

    Raises:
        UsageError: There is no such file system, or what it needs isn't installed.
    """

    def __init__(self, parts: SplitResult, options: Mapping[str, Any]) -> None:
        self.url = parts.geturl()
        try:
            from fsspec.core import url_to_fs  # noqa: PLC0415 - an extra, and slow to import
        except ImportError:
            raise UsageError(
                f"{parts.scheme}:// needs fsspec, which is not installed",
                extra_hint("mediahost", "remote"),
            ) from None
        try:
            self._fs, self._path = url_to_fs(self.url, **{**options, "use_listings_cache": False})
        except ImportError as error:
            raise UsageError(f"{parts.scheme}:// can't be used: {error}") from None
        except ValueError as error:
            raise UsageError(f"{shown(self.url)}: {error}") from None

    def files(self) -> list[str]:
        """URLs of the files below it if it is a folder, else its own."""
        with self._faults():
            if not self._fs.isdir(self._path):
                return [self.url]
            top = self._path.rstrip("/") + "/"
            found = [path.removeprefix(top) for path in self._fs.find(self._path)]
        # Not fsspec's own URLs: those of some file systems have another host than was allowed.
        return [f"{self.url.rstrip('/')}/{path}" for path in sorted(found)]

    def into(self, part: Part, known: Version | None = None) -> Version | None:
        """Fetch the file; None: the version that is known is still the one.

        Raises:
            InvalidMedia: It isn't there, or is too large.
            TransientError: The file system failed, or the file changed meanwhile.
        """
        with self._faults():
            version = self._version()
            if known and known.equals(version):
                return None
            part.announce(version.size)
            with self._fs.open(self._path, "rb") as file:
                while data := file.read(CHUNK_BYTES):
                    part.write(data)
            if version.size not in (None, part.size):
                raise TransientError(
                    f"{shown(self.url)} gave {part.size:,} bytes of {version.size:,}"
                )
            if self._version() != version:
                raise TransientError(f"{shown(self.url)} changed while it was fetched")
            return version

    def _version(self) -> Version:
        facts = self._fs.info(self._path)
        if facts.get("type") == "directory":
            raise InvalidMedia(f"{shown(self.url)} is a folder")
        return Version(facts.get("size"), _first(facts, _ETAGS), _first(facts, _TIMES))

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """What a file system raises, in words."""
        try:
            yield
        except MediahostError:
            raise
        except FileNotFoundError:
            raise InvalidMedia(f"There is no {shown(self.url)}") from None
        except PermissionError as error:
            raise InvalidMedia(f"{shown(self.url)} may not be read: {_line(error)}") from None
        except Exception as error:
            # Each library behind a file system has errors of its own.
            raise TransientError(f"{shown(self.url)}: {_line(error)}") from error


def _first(facts: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((str(facts[name]) for name in names if facts.get(name)), None)


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
