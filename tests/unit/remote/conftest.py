"""A real web server on the loopback that serves files well, badly and wickedly."""

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

import pytest

from mediahost.remote.allowed import Allowed
from mediahost.remote.cache import RemoteCache

LOOPBACK = ("127.0.0.0/8", "::1/128")
SOUND = b"RIFF" + bytes(range(256)) * 2000


@dataclass
class Site:
    """What the server serves, and what it was asked."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    etag: str | None = '"one"'
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    special: dict[str, Callable[["Handler"], None]] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """Where something is."""
        return f"http://{host}:{self.port}/{path.lstrip('/')}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers out of the site."""

    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        """Serve a file, with ranges and validators."""
        path = self.path.partition("?")[0]
        self.site.asked.append((self.path, dict(self.headers)))
        if path in self.site.special:
            self.site.special[path](self)
            return
        body = self.site.files.get(path)
        if body is None:
            self.send_error(404)
        elif self.site.etag and self.headers.get("If-None-Match") == self.site.etag:
            self.answer(304, b"")
        elif (start := self.headers.get("Range", "")) and self.headers.get(
            "If-Range"
        ) == self.site.etag:
            first = int(start.removeprefix("bytes=").rstrip("-"))
            span = f"bytes {first}-{len(body) - 1}/{len(body)}"
            self.answer(206, body[first:], {"Content-Range": span})
        else:
            self.answer(200, body)

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Answer in full."""
        self.begin(status, len(body), headers)
        self.wfile.write(body)

    def begin(self, status: int, length: int | None, headers: dict[str, str] | None = None) -> None:
        """Answer with headers alone."""
        self.site.answered.append(status)
        self.send_response_only(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        if self.site.etag:
            self.send_header("ETag", self.site.etag)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def break_off(self) -> None:
        """Close the connection without another word."""
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[Site]:
    """A server with one sound at /tone.wav."""
    site = Site(files={"/tone.wav": SOUND})
    handler = type("Served", (Handler,), {"site": site})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.daemon_threads = True
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site
    site.stop.set()
    server.shutdown()
    server.server_close()
    thread.join()


MakeCache = Callable[..., RemoteCache]


@pytest.fixture
def cache(tmp_path: Path) -> MakeCache:
    """Makes a cache that may reach the loopback unless it is told otherwise."""

    def make(
        *allow: str,
        networks: tuple[str, ...] = LOOPBACK,
        max_bytes: int = 10_000_000,
        limit_s: float = 30.0,
        keep_bytes: int = 10_000_000,
        **options: dict[str, object],
    ) -> RemoteCache:
        origins = allow or ("http://127.0.0.1:*", "http://localhost:*")
        allowed = Allowed(origins, networks)
        return RemoteCache(
            tmp_path / "remote",
            allowed,
            max_bytes=max_bytes,
            limit_s=limit_s,
            keep_bytes=keep_bytes,
            options=options,
        )

    return make


@pytest.fixture
def now() -> str:
    """A date as HTTP writes it."""
    return formatdate(usegmt=True)


@pytest.fixture
def sound() -> bytes:
    """What is at /tone.wav."""
    return SOUND
