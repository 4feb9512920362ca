"""A webhook on the loopback that keeps what it is sent."""

import http.server
import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

PATIENCE_S = 30


class Hook:
    """Where messages arrive."""

    def __init__(self) -> None:
        self.messages: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()
        self.status = 200
        self.port = 0

    @property
    def url(self) -> str:
        """As apprise writes it."""
        return f"json://127.0.0.1:{self.port}/hook"

    def next(self) -> dict[str, Any]:
        """The next message."""
        return self.messages.get(timeout=PATIENCE_S)[1]

    def is_empty(self) -> bool:
        """Whether there is none."""
        return self.messages.empty()


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A webhook."""
    kept = Hook()

    class Keeper(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response_only(kept.status)
            self.end_headers()
            kept.messages.put((self.path, json.loads(body)))

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keeper)
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()
