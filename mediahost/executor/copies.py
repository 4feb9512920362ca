"""Copies: media files that a Dask worker fetched, kept for the next attempt while there is room."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mediahost.executor.exchange import Exchange
from mediahost.model.media import MediaFile


class Copies:
    """The copies of one worker.

    Args:
        folder: Where they are.
        most_bytes: What they may take; those that an attempt reads stay all the same.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._sizes: dict[Path, int] = {}  # the longest unused first
        self._readers: Counter[str] = Counter()

    @contextmanager
    def of(self, media: MediaFile, exchange: Exchange) -> Iterator[Path]:
        """Where the media file is on this side, for as long as an attempt reads it.

        Raises:
            TransientError: It can't be had.
            InvalidMedia: It is not the one that was asked about.
        """
        content = media.file_hash or ""
        with self._lock:
            self._readers[content] += 1
        try:
            path = exchange.fetch_media(media, self._folder)
            if path != media.path:
                with self._lock:
                    self._sizes.pop(path, None)
                    self._sizes[path] = path.stat().st_size
            yield path
        finally:
            with self._lock:
                self._readers[content] -= 1
                self._readers += Counter()  # without those that nobody reads
                self._make_room()

    def _make_room(self) -> None:
        taken = sum(self._sizes.values())
        read = {content.partition(":")[2] for content in self._readers}
        for path in list(self._sizes):
            if taken <= self._most_bytes:
                return
            if path.parent.name not in read:
                path.unlink(missing_ok=True)
                with suppress(OSError):  # the same content under another name
                    path.parent.rmdir()
                taken -= self._sizes.pop(path)
