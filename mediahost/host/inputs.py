"""Inputs: what a person names, as paths and URLs, and the media files that are fetched for it."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from urllib.parse import unquote_to_bytes, urlsplit

from mediahost.errors import MediahostError, UsageError
from mediahost.hashing import Algorithm
from mediahost.host.files import Candidate
from mediahost.host.found import Problem
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.paths import display, is_remote
from mediahost.ports import OnBytes, RemoteFile, RemoteFiles

# Enough to be slowed by the network and not by the waiting, few enough to be a polite guest.
FETCHES = 4

OnFetching = Callable[[str, int | None, int | None], None]
LetGo = Callable[[], None]


def so_far(size: int, whole: int | None) -> str:
    """How much of a file has come, for people."""
    return f"{size / 1e6:,.1f} of {f'{whole / 1e6:,.1f}' if whole else '?'} MB fetched"


def sort_out(named: Iterable[str | os.PathLike[str]]) -> tuple[list[str], list[str]]:
    """What is at a path here, and what must be fetched.

    Returns:
        Paths, those of `file://` URLs among them, and URLs.
    """
    paths: list[str] = []
    urls: list[str] = []
    for given in named:
        one = os.fspath(given)
        if is_remote(one):
            urls.append(one)
        else:
            paths.append(_local_path(one) if one.startswith("file:") else one)
    return paths, urls


def _local_path(url: str) -> str:
    """The path of a `file:` URL (RFC 8089); what only looks like one is a path already."""
    parts = urlsplit(url)
    if not parts.path.startswith("/") or os.path.lexists(url):
        return url
    if parts.netloc not in ("", "localhost"):
        raise UsageError(f"{display(url)} is a file of another machine", "Copy it here first.")
    return os.fsdecode(unquote_to_bytes(parts.path))


class Inputs:
    """Media files by URL, as the host works with them.

    Args:
        remote: Fetches them; None: no URL can be used.
        algorithm: What files are hashed with.
    """

    def __init__(self, remote: RemoteFiles | None, algorithm: Algorithm) -> None:
        self._given = remote
        self._algorithm = algorithm

    @property
    def _remote(self) -> RemoteFiles:
        if self._given is None:
            raise UsageError("This host takes files by path only")
        return self._given

    def fetch_all(
        self,
        urls: Sequence[str],
        accepts: Callable[[MediaKind], bool],
        problems: list[Problem],
        on_fetched: Callable[[int, int], None] = lambda _done, _total: None,
        on_fetching: OnFetching = lambda _url, _size, _whole: None,
    ) -> list[Candidate]:
        """Fetch files, and those in and below folders.

        Args:
            urls: Where they are.
            accepts: Whether anything is to be done with files of a kind.
            problems: Files that can't be had are added here.
            on_fetched: Called with how many of how many files are there.
            on_fetching: Called with a URL and how many of its bytes are there, of how many if that
                is known, and with None when it is over. From any thread.

        Raises:
            UsageError: The settings don't allow one of them.
        """
        found: list[Candidate] = []
        files = list(dict.fromkeys(one for url in urls for one in self._files(url, problems)))
        with ThreadPoolExecutor(FETCHES, "fetch") as pool:
            for done, outcome in enumerate(
                pool.map(partial(self._try_to_fetch, on_fetching), files), 1
            ):
                if isinstance(outcome, Problem):
                    problems.append(outcome)
                elif accepts(outcome.kind):
                    found.append(_candidate(outcome))
                else:
                    message = f"{display(outcome.url)} is of a kind that no step works on"
                    problems.append(Problem(outcome.url, message))
                on_fetched(done, len(files))
        return found

    def candidate(self, url: str, *, ask: bool = True) -> Candidate:
        """One file, hashed.

        Args:
            url: Where it is.
            ask: Whether the server is asked if there is a newer version than the copy here.

        Raises:
            MediahostError: It can't be had.
        """
        copy = None if ask else self._remote.copy_of(url, self._algorithm)
        return _candidate(copy or self._remote.fetch(url, self._algorithm))

    def is_here(self, media: MediaFile) -> bool:
        """Whether nothing has to be fetched for it."""
        if media.url is None:
            return True
        copy = self._remote.copy_of(media.url, self._algorithm)
        return copy is not None and copy.file_hash == media.file_hash

    def bring(self, media: MediaFile, on_bytes: OnBytes) -> None:
        """Fetch a media file that is not here.

        Args:
            media: Which.
            on_bytes: Told how much of it is here.

        Raises:
            MediahostError: It can't be had.
        """
        if media.url is not None and not self.is_here(media):
            self._remote.fetch(media.url, self._algorithm, on_bytes)

    def held(self, media: MediaFile) -> tuple[MediaFile, LetGo]:
        """The media file with the path of its bytes here, fetched if they are not.

        Returns:
            It, and what has to be called when it is no longer needed.

        Raises:
            MediahostError: It can't be had.
        """
        if media.url is None:
            return media, _nothing
        while True:
            copy = self._remote.copy_of(media.url, self._algorithm)
            if copy is None or copy.file_hash != media.file_hash:
                copy = self._remote.fetch(media.url, self._algorithm)
            # None: it was removed at this very moment, to make room for another.
            if let_go := self._remote.hold(copy):
                return replace(media, path=copy.path), let_go

    def _files(self, url: str, problems: list[Problem]) -> list[str]:
        try:
            return self._remote.files(url)
        except UsageError:
            raise
        except MediahostError as error:
            problems.append(Problem(url, error.message, error.hint))
            return []

    def _try_to_fetch(self, on_fetching: OnFetching, url: str) -> RemoteFile | Problem:
        try:
            return self._remote.fetch(url, self._algorithm, partial(on_fetching, url))
        except UsageError:
            raise
        except MediahostError as error:
            return Problem(url, error.message, error.hint)
        finally:
            on_fetching(url, None, None)


def _nothing() -> None:
    """A file of the user's own stays where it is without being held."""


def _candidate(file: RemoteFile) -> Candidate:
    return Candidate(file.url, file.kind, file.file_hash)
