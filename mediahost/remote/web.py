"""The web: files over HTTP, from addresses that were checked before anything is connected."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self
from urllib.parse import SplitResult, quote, urljoin

from mediahost import __version__
from mediahost.errors import InvalidMedia, MediahostError, TransientError
from mediahost.remote.allowed import Allowed, shown
from mediahost.remote.part import Part
from mediahost.remote.version import Version
from mediahost.threads import GuardedThread

CHUNK_BYTES = 1 << 18
CONNECT_S = 20.0
# A server that sends nothing for so long is as good as gone.
SILENCE_S = 30.0
MAX_REDIRECTS = 5
# A connection that broke is taken up again, where the server can say that it's the same file.
RESUMES = 4
MOST_DIGITS = 20
# What is sent as it stands: all of ASCII that can be printed.
_SENT_AS_IT_IS = "".join(map(chr, range(33, 127)))

_REDIRECTS = {301, 302, 303, 307, 308}
_PASSING = {408, 425, 429, 500, 502, 503, 504}


class BrokenOff(Exception):
    """The connection ended before the file did."""


class _Connection(http.client.HTTPConnection):
    """A connection to an address that was looked up and checked before."""

    def __init__(self, parts: SplitResult, allowed: Allowed) -> None:
        self._secure = parts.scheme == "https"
        self.default_port = 443 if self._secure else 80
        super().__init__(parts.hostname or "", parts.port or self.default_port)
        self._allowed = allowed

    def connect(self) -> None:
        """Connect; over TLS the certificate must be the name's, whatever the address."""
        self.sock = _connected(self._allowed, self.host, self.port)
        if self._secure:
            plain = self.sock
            try:
                context = ssl.create_default_context()
                self.sock = context.wrap_socket(plain, server_hostname=self.host)
            except BaseException:
                plain.close()
                raise


def _connected(allowed: Allowed, host: str, port: int) -> socket.socket:
    last: OSError | None = None
    for family, kind, protocol, _, address in allowed.addresses(host, port):
        opened = socket.socket(family, kind, protocol)
        opened.settimeout(CONNECT_S)
        try:
            opened.connect(address)
        except OSError as error:
            opened.close()
            last = error
        else:
            opened.settimeout(SILENCE_S)
            return opened
    raise last or OSError(f"{host} has no address")


@dataclass
class Download:
    """One file over HTTP.

    Attributes:
        url: Where it is.
        allowed: Judges it and every place that it redirects to.
        limit_s: Seconds that all of it may take.
    """

    url: str
    allowed: Allowed
    limit_s: float

    def into(self, part: Part, known: Version | None = None) -> Version | None:
        """Fetch it.

        Args:
            part: Where to.
            known: The version that is here already.

        Returns:
            Its version, or None: the version that is known is still the one.

        Raises:
            NotAllowed: It leads where the settings don't allow.
            InvalidMedia: It isn't there, or is too large.
            TransientError: The server or the network failed.
        """
        version: Version | None = None
        with _Deadline(self.limit_s) as deadline:
            for _ in range(RESUMES):
                try:
                    return self._try(part, known, version, deadline)
                except _BrokenAt as broken:
                    version = broken.version
                    if deadline.over:
                        break
                    if not (version and version.resume_tag):
                        part.restart()
                        version = None
                except (OSError, http.client.HTTPException) as error:
                    if deadline.over:
                        break
                    raise TransientError(f"{shown(self.url)}: {_words(error)}") from error
                except ValueError as error:
                    message = f"{shown(self.url)}: the answer can't be understood: {error}"
                    raise InvalidMedia(message) from error
            if deadline.over:
                raise TransientError(
                    f"{shown(self.url)} took longer than {self.limit_s:g} s",
                    "Raise remote_timeout_s in the settings if it is that large.",
                )
        raise TransientError(f"{shown(self.url)} broke off again and again before its end")

    def _try(
        self, part: Part, known: Version | None, begun: Version | None, deadline: "_Deadline"
    ) -> Version | None:
        headers = {"User-Agent": f"mediahost/{__version__}", "Accept-Encoding": "identity"}
        if begun and begun.resume_tag and part.size:
            headers |= {"Range": f"bytes={part.size}-", "If-Range": begun.resume_tag}
        elif known and known.etag:
            headers["If-None-Match"] = known.etag
        elif known and known.modified:
            headers["If-Modified-Since"] = known.modified
        with self._answer(headers, deadline) as answer:
            if answer.status == HTTPStatus.NOT_MODIFIED and known and not begun:
                return None
            version = self._version(answer, part, begun)
            try:
                _pour(answer, part, version.size)
            except (BrokenOff, OSError, http.client.HTTPException):
                raise _BrokenAt(version) from None
            return version

    def _version(
        self, answer: http.client.HTTPResponse, part: Part, begun: Version | None
    ) -> Version:
        """What the answer says of the whole file; the part stands where its body begins."""
        if answer.getheader("Content-Encoding", "identity").lower() != "identity":
            raise InvalidMedia(f"{shown(self.url)} comes compressed though that was not asked for")
        size = _number(answer.getheader("Content-Length"))
        if answer.status == HTTPStatus.PARTIAL_CONTENT and begun:
            first, whole = _range(answer.getheader("Content-Range", ""))
            same_tag = answer.getheader("ETag") in (None, begun.etag)
            if first != part.size or whole != begun.size or not same_tag:
                part.restart()
                raise _BrokenAt(None)
            return begun
        if answer.status != HTTPStatus.OK:
            raise self._refused(answer.status)
        part.restart()
        if size is None and not answer.chunked:
            raise InvalidMedia(
                f"{shown(self.url)} does not say how long it is, so nobody can tell whether it"
                " came whole"
            )
        part.announce(size)
        mime_type = answer.headers.get_content_type() if "Content-Type" in answer.headers else None
        return Version(size, answer.getheader("ETag"), answer.getheader("Last-Modified"), mime_type)

    def _refused(self, status: int) -> MediahostError:
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = "no status that is known"
        message = f"{shown(self.url)}: the server says {status} {phrase}"
        return TransientError(message) if status in _PASSING else InvalidMedia(message)

    @contextmanager
    def _answer(
        self, headers: dict[str, str], deadline: "_Deadline"
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer to a GET, past all redirects."""
        at = self.url
        for _ in range(MAX_REDIRECTS + 1):
            parts = self.allowed.check(at)
            connection = _Connection(parts, self.allowed)
            try:
                with deadline.watching(connection):
                    connection.request("GET", _target(parts), headers=headers)
                    deadline.hold(connection)
                    answer = connection.getresponse()
                    if answer.status not in _REDIRECTS:
                        yield answer
                        return
                    location = answer.getheader("Location")
            finally:
                connection.close()
            if not location:
                raise InvalidMedia(f"{shown(at)} redirects, but does not say where")
            at = _redirected(at, location)
        raise InvalidMedia(f"{shown(self.url)} redirects more than {MAX_REDIRECTS} times")


class _BrokenAt(Exception):
    """The connection broke while this version came."""

    def __init__(self, version: Version | None) -> None:
        super().__init__()
        self.version = version


class _Deadline:
    """Ends whatever connection is open when the time is over.

    A timeout of the socket would not do: a server that sends a byte now and then never meets it.
    """

    def __init__(self, limit_s: float) -> None:
        self.over = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._limit_s = limit_s
        self._done = threading.Event()
        self._thread = GuardedThread(self._watch, name="deadline")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @contextmanager
    def watching(self, connection: http.client.HTTPConnection) -> Iterator[None]:
        """End this connection when the time is over."""
        connection.connect()
        self.hold(connection)
        try:
            yield
        finally:
            with self._lock:
                self._socket = None

    def hold(self, connection: http.client.HTTPConnection) -> None:
        """Remember what to end; http.client gives its socket away with the answer."""
        with self._lock:
            self._socket = connection.sock
            if self.over:
                raise TimeoutError

    def _watch(self) -> None:
        if self._done.wait(self._limit_s):
            return
        with self._lock, suppress(OSError):
            self.over = True
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)


def _redirected(at: str, location: str) -> str:
    try:
        return urljoin(at, location)
    except ValueError:
        raise InvalidMedia(f"{shown(at)} redirects to what is no URL") from None


def _target(parts: SplitResult) -> str:
    """Path and query as they are sent: what is not ASCII in UTF-8, quoted (RFC 3987, 3.1)."""
    target = parts._replace(scheme="", netloc="", fragment="").geturl()
    return quote(target, safe=_SENT_AS_IT_IS) or "/"


def _pour(answer: http.client.HTTPResponse, part: Part, size: int | None) -> None:
    while data := answer.read1(CHUNK_BYTES):
        part.write(data)
    if size is not None and part.size != size:
        raise BrokenOff


def _number(text: str | None) -> int | None:
    # No file has a size of more digits, and Python refuses to read very many.
    if text is None or len(text) > MOST_DIGITS or not (text.isascii() and text.isdecimal()):
        return None
    return int(text)


def _range(text: str) -> tuple[int | None, int | None]:
    """First byte and whole size of a `Content-Range: bytes 100-199/200`."""
    unit, _, rest = text.partition(" ")
    span, _, whole = rest.partition("/")
    first = span.partition("-")[0]
    return (_number(first), _number(whole)) if unit == "bytes" else (None, None)


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "the server does not answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
