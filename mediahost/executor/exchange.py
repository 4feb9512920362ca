"""The exchange: a folder or bucket where a host and workers elsewhere hand files to each other."""

import re
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mediahost.errors import InvalidMedia, TransientError, UsageError
from mediahost.hashing import verify_file
from mediahost.model.media import MediaFile
from mediahost.model.paths import display, url_to_path
from mediahost.partfile import PartFile, written

# No attempt runs so long.
OLD_S = 7 * 86_400
# A job, an attempt and a run of it; its log has a suffix.
# A run, its log, or the temporary folder of a worker that was killed.
_RUN = re.compile(r"[0-9a-f]{32}\.\d+\.[0-9a-f]{8}(\.log)?|temporary\.\d+")


class Exchange:
    """Files under a URL.

    Args:
        url: A path or `file://` URL of a folder that all machines see under the same path, or any
            fsspec URL.
        options: Options of the fsspec file system.

    Raises:
        UsageError: There is no such file system.
    """

    def __init__(self, url: str, options: Mapping[str, Any] | None = None) -> None:
        self.url = url.rstrip("/")
        self.options = dict(options or {})
        shared = url.startswith("file://") or "://" not in url
        self.folder = Path(url_to_path(self.url)) if shared else None
        self._fs: Any = None
        self._top = ""
        if not shared:
            self._fs, self._top = _opened(self.url, self.options)

    def workdir(self, run: str) -> Path | None:
        """A folder that both sides see, for a run to work in; None if there is none."""
        if self.folder is None:
            return None
        folder = self.folder / run
        folder.mkdir(parents=True, mode=0o700)
        return folder

    def put(self, path: Path, name: str) -> None:
        """Hand a file over, whole or not at all.

        Raises:
            TransientError: It could not be.
        """
        if self.folder is not None:
            place = self.folder / name
            if place != path:
                place.parent.mkdir(parents=True, exist_ok=True)
                with path.open("rb") as source, written(place) as file:
                    shutil.copyfileobj(source, file)
            return
        try:
            # On object stores an upload is there at its end or not at all.
            self._fs.put_file(str(path), self._at(name))
        except Exception as error:
            raise self._failed(error) from error

    def take(self, name: str, path: Path) -> None:
        """Take a file over, to `path`; what is taken from a shared folder is moved.

        Raises:
            TransientError: It could not be.
        """
        try:
            if self.folder is not None:
                shutil.move(self.folder / name, path)
            else:
                self._fs.get_file(self._at(name), str(path))
        except Exception as error:
            raise self._failed(error) from error

    def remove(self, run: str) -> None:
        """Remove what is left of a run; what can't be removed is left."""
        if self.folder is not None:
            shutil.rmtree(self.folder / run, ignore_errors=True)
            return
        try:
            if self._fs.exists(self._at(run)):
                self._fs.rm(self._at(run), recursive=True)
        except Exception:  # noqa: BLE001 - rubbish harms nobody
            return

    def sweep(self) -> None:
        """Remove what runs handed over long ago to hosts that had died by then.

        In a shared folder; on an object store a rule for old objects does it.
        """
        if self.folder is None or not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            with suppress(OSError):
                old = time.time() - path.stat().st_mtime > OLD_S
                if not old or not _RUN.fullmatch(path.name):
                    continue
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()

    def share_media(self, media: MediaFile) -> None:
        """Let the other side have a media file, once for each content."""
        if self.folder is not None or media.file_hash is None:
            return
        name = _media_name(media)
        try:
            there = self._fs.exists(self._at(name))
            if there and self._fs.info(self._at(name))["size"] == media.path.stat().st_size:
                return
        except OSError as error:
            raise self._failed(error) from error
        self.put(media.path, name)

    def fetch_media(self, media: MediaFile, folder: Path) -> Path:
        """The media file on this side: where the host has it, or a copy below `folder`.

        Raises:
            TransientError: It can't be had.
            InvalidMedia: It is not the one that was asked about.
        """
        if self.folder is not None or media.file_hash is None:
            return media.path
        path = folder / _media_name(media)
        if path.exists():
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with PartFile(path, durable=False) as part:
            self.take(_media_name(media), part.path)
            if not verify_file(part.path, media.file_hash):
                raise InvalidMedia(f"{display(media.path.name)} has changed since the job was made")
            part.replace()
        return path

    def _at(self, name: str) -> str:
        return f"{self._top}/{name}"

    def _failed(self, error: Exception) -> TransientError:
        return TransientError(f"The exchange {display(self.url)} failed: {error}")


def _opened(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - an extra

        fs, top = url_to_fs(url, **{**options, "use_listings_cache": False})
    except (ImportError, ValueError) as error:
        raise UsageError(f"The exchange {display(url)} can't be used: {error}") from None
    return fs, str(top).rstrip("/")


def _media_name(media: MediaFile) -> str:
    digest = (media.file_hash or "").partition(":")[2]
    return f"inputs/{digest}/{media.path.name}"
