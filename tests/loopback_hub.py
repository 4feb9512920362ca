"""A hub on loopback: it answers as the real one does where models are downloaded."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# The real hub keeps files from this size on in LFS, and sends those to another address.
LFS_FROM_BYTES = 1_000


@dataclass
class Hub:
    """What it serves, and what it was asked.

    Attributes:
        files: Paths to serve, by `repository/resolve/revision/name`.
        url: Its address.
        asked: Method, path and `Range` of each request.
        headers: The headers of each request.
        breaks_after: Bytes after which each answer breaks off; None: never.
        lost_after: Downloads of large files after which there are no more; None: never.
    """

    files: Mapping[str, Path]
    url: str = ""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    breaks_after: int | None = None
    lost_after: int | None = None

    def bytes_sent(self, name: str) -> list[str | None]:
        """The `Range` of each download of a file."""
        return [
            span
            for method, path, span in self.asked
            if method == "GET" and path.startswith("/lfs/") and path.endswith(name)
        ]

    @property
    def is_lost(self) -> bool:
        """Whether it has sent all that it will."""
        sent = sum(method == "GET" and path.startswith("/lfs/") for method, path, _ in self.asked)
        return self.lost_after is not None and sent > self.lost_after


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub = self.server.hub
        hub.asked.append((self.command, self.path, self.headers.get("range")))
        hub.headers.append({name.lower(): value for name, value in self.headers.items()})
        path = hub.files.get(self.path.removeprefix("/lfs").lstrip("/"))
        if path is None or hub.is_lost:
            self._send(404, {"X-Error-Code": "EntryNotFound"})
            return
        data = path.read_bytes()
        digest = sha256(data).hexdigest()
        if len(data) < LFS_FROM_BYTES:
            self._send_file(data, digest[:40])
        elif self.path.startswith("/lfs/"):
            self._send_file(data, digest)
        else:
            linked = {"X-Linked-Size": str(len(data)), "X-Linked-Etag": f'"{digest}"'}
            self._send(302, linked | {"Location": f"{hub.url}/lfs{self.path}"})

    def _send_file(self, data: bytes, tag: str) -> None:
        about = {"Accept-Ranges": "bytes", "ETag": f'"{tag}"'}
        status, span, size = 200, self.headers.get("range"), len(data)
        if span:
            first = int(span.removeprefix("bytes=").partition("-")[0])
            about["Content-Range"] = f"bytes {first}-{size - 1}/{size}"
            status, data = 206, data[first:]
        self._send(status, about, data)

    def _send(self, status: int, headers: Mapping[str, str], data: bytes = b"") -> None:
        self.send_response(status)
        about = {"X-Repo-Commit": "0" * 40, "Content-Length": str(len(data))}
        for name, value in (about | dict(headers)).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            most = self.server.hub.breaks_after
            self.wfile.write(data[:most])
            self.close_connection = most is not None

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running_hub(files: Mapping[str, Path]) -> Iterator[Hub]:
    """A hub that serves these files."""
    hub = Hub(files)
    server = _Server(hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)
